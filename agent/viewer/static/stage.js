// The world in three dimensions at one moment of an episode, with what was seen and believed laid over it.
"use strict";
(function () {
  const FADED = 0.07, NEAR_M = 0.6, TALL_M = 1.15, SHOULDER_RAD = 0.75, SEEN_FOR_S = 0.25, LABELS = 16;
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const MOVABLE = /^(mug|pod|bowl|plate|bottle|box|fruit|book|loose_lid)$/;

  Doppio.Stage = class {
    constructor(episode, parent, shared) {
      this.episode = episode;
      this.shared = shared;
      this.element = document.createElement("div");
      this.element.className = "stage";
      this.element.innerHTML = `<canvas class="three"></canvas>
        <div class="caption"><div class="who"></div><div class="what"></div><div class="phase"></div></div>
        <div class="labels"></div><div class="tools"></div>
        <div class="no-truth" ${episode.scene.truth ? "hidden" : ""}>recorded on a robot: its joints and odometry; where things really were is not known</div>`;
      parent.append(this.element);
      this.canvas = this.element.querySelector("canvas");
      this.labels = this.element.querySelector(".labels");
      this.software = drawnBySoftware();
      // Where no graphics card helps, fewer pixels and no smoothing keep a seek below a tenth of a second.
      this.renderer = new THREE.WebGLRenderer({ canvas: this.canvas, antialias: !this.software, powerPreference: "high-performance" });
      this._sharpness(!this.software);
      this.renderer.shadowMap.enabled = !this.software;
      this._light();
      this._build();
      this._overlays();
      this._cameras();
      new ResizeObserver(() => { this._resize(); shared.redraw(); }).observe(this.element);
      this._resize();
    }

    _sharpness(sharp) {
      this.sharp = sharp;
      this.renderer.setPixelRatio(sharp ? Math.min(2, devicePixelRatio) : 0.5);
    }

    // Once nothing moves, there is time for all pixels; the next movement does without them again.
    rest() {
      if (!this.software || this.sharp) return;
      this._sharpness(true);
      this.draw();
    }

    _light() {
      const scene = this.scene = new THREE.Scene();
      scene.background = new THREE.Color("#14171d");
      const sky = new THREE.HemisphereLight("#eef3ff", "#8a7a68", 1.9);
      sky.position.set(0, 0, 1);  // from above: z is up here
      scene.add(sky);
      const sun = this.sun = new THREE.DirectionalLight("#fff3e0", 1.7);
      sun.castShadow = !this.software;
      sun.shadow.mapSize.set(2048, 2048);
      Object.assign(sun.shadow.camera, { left: -4, right: 4, top: 4, bottom: -4, near: 0.5, far: 14 });
      sun.shadow.bias = -0.0006;
      sun.shadow.normalBias = 0.01;
      scene.add(sun, sun.target);
    }

    _build() {
      const changing = new Map();
      for (const look of this.episode.looks) changing.set(look[1], [...(changing.get(look[1]) || []), look]);
      this.looks = changing;
      this.moving = [];
      this.fading = [];
      this.repaintable = new Map();
      this.found = new Map();
      for (const group of this.episode.scene.groups) {
        const object = Doppio.build(group, changing, !this.software);
        this.scene.add(object);
        if (group.body >= 0) this.moving.push([group.body, object]);
        if (group.fades) {
          const box = new THREE.Box3().setFromObject(object);
          const margin = group.name.startsWith("wall") ? 0.05 : 0.45;  // what it works at stays
          if (box.max.z > TALL_M) this.fading.push({ object, box, margin, opacity: 1 });  // over low things one can see
        }
        for (const [geom, entry] of object.userData.changing) this.repaintable.set(geom, { ...entry, shown: -1 });
      }
      this.episode.scene.bodies.forEach((name, i) => this.found.set(name, i));
      if (!this.episode.scene.truth) this.scene.add(new THREE.GridHelper(16, 32, "#2c3340", "#20252e").rotateX(Math.PI / 2));
    }

    _overlays() {
      const line = (hex, width = 1) => new THREE.LineBasicMaterial({ color: hex, transparent: true, linewidth: width });
      const points = (hex, size) => new THREE.Points(new THREE.BufferGeometry(),
        new THREE.PointsMaterial({ color: hex, size, sizeAttenuation: true, depthTest: false, transparent: true, opacity: 0.95 }));
      this.seen = points(colour("--seen"), 0.05);
      this.errors = new THREE.LineSegments(new THREE.BufferGeometry(), line(colour("--limit")));
      this.believed = new THREE.LineSegments(new THREE.BufferGeometry(), line(colour("--believed")));
      this.believed.material.opacity = 0.75;
      this.scan = points("#8fb3ff", 0.035);
      this.view = new THREE.LineSegments(new THREE.BufferGeometry(), line(colour("--seen")));
      this.view.material.opacity = 0.45;
      this.path = new THREE.Line(new THREE.BufferGeometry(), line("#6f9bd8"));
      const base = this.episode.arrays.base, along = new Float32Array(base.length);
      for (let i = 0; i < base.length; i += 3) along.set([base[i], base[i + 1], 0.012], i);
      this.path.geometry.setAttribute("position", new THREE.BufferAttribute(along, 3));
      for (const o of [this.seen, this.errors, this.believed, this.scan, this.view, this.path]) {
        o.frustumCulled = false;
        o.renderOrder = 5;
        this.scene.add(o);
      }
      for (const o of [this.errors, this.believed, this.view]) o.material.depthTest = false;
    }

    _cameras() {
      this.camera = new THREE.PerspectiveCamera(42, 1, 0.03, 80);
      this.camera.up.set(0, 0, 1);
      const b = this.episode.arrays.base, yaw = b.length ? b[2] : 0;
      this.goal = new THREE.Vector3(b[0] || 0, b[1] || 0, 0.75);
      this.stand = this.goal.clone();
      this.hand = this.goal.clone();
      const side = yaw + Math.PI + SHOULDER_RAD;
      this.camera.position.copy(this.goal).add(new THREE.Vector3(Math.cos(side) * 2.1, Math.sin(side) * 2.1, 1.55));
      this.headings = smoothHeadings(b);
      this.heading = this.headings[0] || 0;
      this.controls = new THREE.OrbitControls(this.camera, this.canvas);
      this.controls.target.copy(this.goal);
      this.controls.maxPolarAngle = 1.55;
      this.controls.minDistance = 0.3;
      this.controls.maxDistance = 16;
      this.controls.addEventListener("change", () => { if (!this.drawing) this.shared.redraw(); });
      this.above = false;
    }

    _resize() {
      const { clientWidth: w, clientHeight: h } = this.element;
      if (!w || !h) return;
      this.renderer.setSize(w, h, false);
      this.camera.aspect = w / h;
      this.camera.updateProjectionMatrix();
    }

    // Picture numbers around t and how far between them t is.
    _between(t) {
      const times = this.episode.arrays.picture_time;
      const i = Math.max(0, Doppio.before(times, t)), j = Math.min(i + 1, times.length - 1);
      const gap = times[j] - times[i];
      return [i, j, gap > 0 ? Math.min(1, Math.max(0, (t - times[i]) / gap)) : 0];
    }

    _pose(body, [i, j, part], position, turn) {
      const { position: p, turn: q } = this.episode.arrays, n = this.episode.scene.bodies.length;
      const a = 3 * (i * n + body), b = 3 * (j * n + body), c = 4 * (i * n + body), d = 4 * (j * n + body);
      const s = p.about.scale, mix = (u, v) => u + (v - u) * part;
      position.set(s * mix(p[a], p[b]), s * mix(p[a + 1], p[b + 1]), s * mix(p[a + 2], p[b + 2]));
      turn?.set(mix(q[c + 1], q[d + 1]), mix(q[c + 2], q[d + 2]), mix(q[c + 3], q[d + 3]), mix(q[c], q[d])).normalize();
    }

    // Where a body is at t, in the world: for tests and for comparing.
    where(name, t) {
      const body = this.found.get(name);
      if (body === undefined) return null;
      const position = new THREE.Vector3();
      this._pose(body, this._between(t), position);
      return position.toArray();
    }

    show(t) {
      const between = this._between(t), arrays = this.episode.arrays;
      if (arrays.picture_time.length) {
        for (const [body, object] of this.moving) this._pose(body, between, object.position, object.quaternion);
        const old = this.goal.clone(), at = new THREE.Vector3(), i = 3 * between[0];
        this.goal.set(arrays.base[i], arrays.base[i + 1], 0.75);
        this.stand.copy(this.goal);
        if (this.found.has("hand")) {
          this._pose(this.found.get("hand"), between, at);
          this.hand.copy(at);
          this.goal.lerp(at, 0.45);
        }
        if (this.shared.view === "follow") {
          // The camera goes and turns with the robot, and stays where a person turned it to.
          const shift = this.goal.clone().sub(old), turn = this.headings[between[0]] - this.heading;
          this.controls.target.add(shift);
          this.camera.position.add(shift).sub(this.goal).applyAxisAngle(this.camera.up, turn).add(this.goal);
          this.controls.target.sub(this.goal).applyAxisAngle(this.camera.up, turn).add(this.goal);
        }
        this.heading = this.headings[between[0]];
        this.path.geometry.setDrawRange(0, between[0] + 1);
      }
      if (this.software && this.sharp) this._sharpness(false);
      this._repaint(t);
      this._showSight(t);
      this._caption(t);
      this.t = t;
    }

    _repaint(t) {
      for (const [geom, entry] of this.repaintable) {
        const looks = this.looks.get(geom), i = Doppio.before(entry.times ||= looks.map((l) => l[0]), t);
        if (i === entry.shown) continue;
        entry.shown = i;
        const { rgba, at, size } = entry.shape;
        if (i < 0) Doppio.repaint(entry, rgba, at, size);
        else Doppio.repaint(entry, looks[i][2], looks[i][3], looks[i][4]);
      }
    }

    _showSight(t) {
      const { arrays, classes } = this.episode, { layers } = this.shared, labels = [];
      const look = Doppio.before(arrays.look_time, t), fresh = look >= 0 && t - arrays.look_time[look] < SEEN_FOR_S;
      const at = [], off = [];
      if (fresh && layers.seen) {
        const between = this._between(arrays.look_time[look]), body = new THREE.Vector3();
        for (let i = arrays.look_first[look]; i < arrays.look_first[look + 1]; i++) {
          const [x, y, z, , kind] = arrays.seen.subarray(7 * i, 7 * i + 5);
          at.push(x, y, z);
          const name = classes[kind];
          labels.push(["seen", name.replaceAll("_", " "), x, y, z]);
          if (!MOVABLE.test(name)) continue;
          let best = 0.35, nearest = null;
          for (const [other, index] of this.found) {
            if (!other.startsWith(name + "_")) continue;
            this._pose(index, between, body);
            const d = Math.hypot(body.x - x, body.y - y);
            if (d < best) { best = d; nearest = body.clone(); }
          }
          if (nearest) {
            off.push(x, y, z, nearest.x, nearest.y, z);
            labels[labels.length - 1][1] += ` ${(100 * best).toFixed(1)} cm off`;
          }
        }
      }
      fill(this.seen, at);
      fill(this.errors, off);
      this._showView(look, fresh && layers.view);
      this._showScan(t, layers.scan);
      this._showBeliefs(t, layers.believed, labels);
      this.wanted = labels;
    }

    _showView(look, visible) {
      const lines = [];
      if (visible) {
        const [x, y, z, w, i, j, k, wide, high] = this.episode.arrays.look_camera.subarray(9 * look, 9 * look + 9);
        const eye = new THREE.Vector3(x, y, z), turn = new THREE.Quaternion(i, j, k, w), far = 1.1;
        const corners = [[-1, -1], [1, -1], [1, 1], [-1, 1]].map(([u, v]) =>
          new THREE.Vector3(u * far * Math.tan(wide / 2), v * far * Math.tan(high / 2), -far).applyQuaternion(turn).add(eye));
        corners.forEach((c, n) => lines.push(...eye.toArray(), ...c.toArray(), ...c.toArray(), ...corners[(n + 1) % 4].toArray()));
        this.eye = { eye, turn };
      }
      fill(this.view, lines);
    }

    _showScan(t, visible) {
      const { scan_time: times, scan_base: bases, scan_mm: mm } = this.episode.arrays, at = [];
      const row = times ? Doppio.before(times, t) : -1;
      if (visible && row >= 0) {
        const [x, y, yaw] = bases.subarray(3 * row, 3 * row + 3), rays = mm.about.shape[1];
        for (let r = 0; r < rays; r++) {
          const d = mm[row * rays + r] / 1000, angle = yaw + mm.about.first_rad + r * mm.about.step_rad;
          if (d > 0) at.push(x + d * Math.cos(angle), y + d * Math.sin(angle), 0.25);
        }
      }
      fill(this.scan, at);
    }

    _showBeliefs(t, visible, labels) {
      const a = this.episode.arrays, row = Doppio.before(a.belief_time, t), lines = [];
      if (visible && row >= 0) {
        for (let i = a.belief_first[row]; i < a.belief_first[row + 1]; i++) {
          const [x, y, z, std, name, , yaw, sx, sy, sz] = a.believed.subarray(10 * i, 10 * i + 10);
          const large = sx > 0, half = large ? [sx / 2, sy / 2, sz / 2] : [1, 1, 1].map(() => Math.max(0.02, 2 * std));
          box(lines, x, y, z, yaw, half);
          if (!large || /machine/.test(this.episode.believed[name].class)) {
            labels.push(["believed", this.episode.believed[name].id, x, y, z + half[2]]);
          }
        }
      }
      fill(this.believed, lines);
    }

    _caption(t) {
      const { episode } = this, subgoal = episode.subgoalAt(t);
      const caption = this.element.querySelector(".caption");
      caption.children[0].textContent = this.shared.names ? this.shared.names(episode) : "";
      caption.children[1].textContent = subgoal ? subgoal.words : "waiting for a plan";
      caption.children[2].textContent = episode.phaseAt(t);
    }

    draw() {
      this.drawing = true;
      const { view } = this.shared;
      this.controls.enabled = view !== "eye" && view !== "hand";
      let camera = this.camera;
      if (view === "eye" && this.eye) {
        camera = this.head ||= new THREE.PerspectiveCamera(58, 1, 0.03, 30);
        camera.aspect = this.camera.aspect;
        camera.updateProjectionMatrix();
        camera.position.copy(this.eye.eye);
        camera.quaternion.copy(this.eye.turn);
      } else if (view === "hand" && this.found.has("hand")) {
        camera = this.near ||= new THREE.PerspectiveCamera(42, 1, 0.2, 30);
        camera.up.set(0, 0, 1);
        camera.aspect = this.camera.aspect;
        camera.updateProjectionMatrix();
        // From beside the arm, where the robot came from: ahead of the hand there are walls and cupboards.
        const c = Math.cos(this.heading), s = Math.sin(this.heading);
        camera.position.set(this.hand.x - 0.22 * c + 0.5 * s, this.hand.y - 0.22 * s - 0.5 * c, this.hand.z + 0.34);
        camera.lookAt(this.hand.x + 0.08 * c, this.hand.y + 0.08 * s, this.hand.z);
      } else if ((view === "above") !== this.above) {
        this.above = view === "above";
        this.controls.target.copy(this.goal);
        this.camera.position.copy(this.goal).add(this.above ? new THREE.Vector3(0, -0.6, 7.5) : new THREE.Vector3(-1.8, -1.8, 1.9));
      }
      this.controls.update();
      this._fade(camera, view === "above" || view === "follow" || view === "hand");
      this.sun.target.position.copy(this.goal);
      this.sun.position.copy(this.goal).add(new THREE.Vector3(1.6, -1.2, 5.5));
      this.renderer.render(this.scene, camera);
      this._place(camera);
      this.drawing = false;
    }

    // What stands between the camera and the robot is nearly transparent.
    _fade(camera, active) {
      const eye = camera.position, hit = new THREE.Vector3();
      const around = [[0, 0, 0.3], [0, 0, 1], [0.35, 0, 0.2], [-0.35, 0, 0.2], [0, 0.35, 0.2], [0, -0.35, 0.2]];
      const targets = around.map(([x, y, z]) => new THREE.Vector3(this.stand.x + x, this.stand.y + y, z)).concat([this.goal]);
      for (const [x, y, z] of [[0, 0, 0.05], [0.18, 0, 0], [-0.18, 0, 0], [0, 0.18, 0], [0, -0.18, 0]]) {
        targets.push(this.hand.clone().add(new THREE.Vector3(x, y, z)));
      }
      const sides = targets.map((target) => {
        const way = target.clone().sub(eye), far = way.length();
        return { ray: new THREE.Ray(eye, way.normalize()), far };
      });
      for (const entry of this.fading) {
        const blocks = active && (entry.box.distanceToPoint(eye) < NEAR_M || sides.some(({ ray, far }) =>
          ray.intersectBox(entry.box, hit) && hit.distanceTo(eye) < far - entry.margin));
        const opacity = blocks ? FADED : 1;
        if (opacity === entry.opacity) continue;
        entry.opacity = opacity;
        entry.object.traverse((o) => {
          if (!o.isMesh) return;
          const own = o.userData.opacity ?? 1;
          o.material.opacity = own * opacity;
          o.material.transparent = own * opacity < 1;
          o.material.needsUpdate = true;  // opaque materials are compiled without alpha
          o.material.depthWrite = opacity === 1 && own > 0.5;
          o.castShadow = !this.software && opacity === 1 && own === 1;
        });
      }
    }

    _place(camera) {
      const { clientWidth: w, clientHeight: h } = this.element, at = new THREE.Vector3(), shown = [];
      for (const [kind, text, x, y, z] of this.wanted || []) {
        at.set(x, y, z);
        const far = at.distanceTo(camera.position);
        at.project(camera);
        if (at.z < 1 && Math.abs(at.x) < 1 && Math.abs(at.y) < 1 && far < 5) shown.push([far, kind, text, at.x, at.y]);
      }
      shown.sort((a, b) => a[0] - b[0]);
      const taken = [];
      const free = shown.filter(([, , , x, y]) => {
        const px = (x + 1) * w / 2, py = (1 - y) * h / 2;
        if (taken.some(([qx, qy]) => Math.abs(px - qx) < 84 && Math.abs(py - qy) < 15)) return false;
        taken.push([px, py]);
        return true;
      }).slice(0, LABELS);
      while (this.labels.children.length < free.length) this.labels.append(document.createElement("div"));
      [...this.labels.children].forEach((label, i) => {
        label.hidden = i >= free.length;
        if (label.hidden) return;
        const [, kind, text, x, y] = free[i];
        label.className = "label " + kind;
        label.textContent = text;
        label.style.left = `${(x + 1) * w / 2}px`;
        label.style.top = `${(1 - y) * h / 2}px`;
      });
    }
  };

  // Where the robot faces, unwrapped and averaged over some three seconds, for a calm camera.
  function smoothHeadings(base) {
    const n = base.length / 3, plain = new Float64Array(n), sums = new Float64Array(n + 1), half = 40;
    for (let i = 0; i < n; i++) {
      const step = i ? base[3 * i + 2] - base[3 * i - 1] : base[2];
      plain[i] = (i ? plain[i - 1] : 0) + (i ? step - 2 * Math.PI * Math.round(step / (2 * Math.PI)) : step);
      sums[i + 1] = sums[i] + plain[i];
    }
    return plain.map((_, i) => {
      const from = Math.max(0, i - half), until = Math.min(n, i + half + 1);
      return (sums[until] - sums[from]) / (until - from);
    });
  }

  function drawnBySoftware() {
    const gl = document.createElement("canvas").getContext("webgl2"), info = gl?.getExtension("WEBGL_debug_renderer_info");
    const name = info ? gl.getParameter(info.UNMASKED_RENDERER_WEBGL) : "";
    gl?.getExtension("WEBGL_lose_context")?.loseContext();
    return /swiftshader|llvmpipe|software/i.test(name);
  }

  function fill(object, values) {
    const attribute = object.geometry.getAttribute("position");
    if (attribute && attribute.array.length >= values.length) {
      attribute.array.set(values);
      attribute.needsUpdate = true;
    } else {
      object.geometry.dispose();
      object.geometry.setAttribute("position", new THREE.BufferAttribute(new Float32Array(Math.max(values.length, 60)), 3));
      object.geometry.getAttribute("position").array.set(values);
    }
    object.geometry.setDrawRange(0, values.length / 3);
    object.visible = values.length > 0;
  }

  function box(lines, x, y, z, yaw, [a, b, c]) {
    const corner = (i, j, k) => [x + i * a * Math.cos(yaw) - j * b * Math.sin(yaw), y + i * a * Math.sin(yaw) + j * b * Math.cos(yaw), z + k * c];
    for (const k of [-1, 1]) {
      const ring = [[-1, -1], [1, -1], [1, 1], [-1, 1]];
      ring.forEach(([i, j], n) => {
        lines.push(...corner(i, j, k), ...corner(...ring[(n + 1) % 4], k));
        if (k < 0) lines.push(...corner(i, j, -1), ...corner(i, j, 1));
      });
    }
  }
})();

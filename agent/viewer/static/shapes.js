// Primitives as meshes: one mesh for all shapes of a group that share a kind of surface.
"use strict";
(function () {
  const UP = new THREE.Matrix4().makeRotationX(Math.PI / 2);  // three's cylinders stand along y, MuJoCo's along z

  function geometryOf(shape) {
    const [a, b, c] = shape.size;
    switch (shape.shape) {
      case "box": return new THREE.BoxGeometry(2 * a, 2 * b, 2 * c);
      case "sphere": return new THREE.SphereGeometry(a, 20, 12);
      case "ellipsoid": return new THREE.SphereGeometry(1, 20, 12).scale(a, b, c);
      case "cylinder": return new THREE.CylinderGeometry(a, a, 2 * b, 28).applyMatrix4(UP);
      case "capsule": return new THREE.CapsuleGeometry(a, 2 * b, 5, 18).applyMatrix4(UP);
      default: return new THREE.PlaneGeometry(a ? 2 * a : 40, b ? 2 * b : 40).translate(0, 0, -0.01);  // below floors
    }
  }

  function placed(shape) {
    const [w, x, y, z] = shape.turn;
    return new THREE.Matrix4().compose(
      new THREE.Vector3(...shape.at), new THREE.Quaternion(x, y, z, w), new THREE.Vector3(1, 1, 1));
  }

  function painted(geometry, rgba) {
    const colour = new THREE.Color().setRGB(rgba[0], rgba[1], rgba[2], THREE.SRGBColorSpace);
    const count = geometry.attributes.position.count, values = new Float32Array(3 * count);
    for (let i = 0; i < count; i++) values.set([colour.r, colour.g, colour.b], 3 * i);
    geometry.setAttribute("color", new THREE.BufferAttribute(values, 3));
    geometry.deleteAttribute("uv");
    return geometry;
  }

  function material(opacity) {
    return new THREE.MeshLambertMaterial({
      vertexColors: true, transparent: opacity < 1, opacity, depthWrite: opacity > 0.5 });
  }

  // A group of the scene as a three.js object; `changing` are the geoms whose looks change and stay meshes of their own.
  Doppio.build = function (group, changing, shadows) {
    const object = new THREE.Group(), solid = [], clear = new Map();
    object.name = group.name;
    object.userData = { group, changing: new Map(), opacity: 1 };
    for (const shape of group.shapes) {
      const geometry = painted(geometryOf(shape), shape.rgba);
      if (changing.has(shape.geom)) {
        const mesh = new THREE.Mesh(geometry, material(shape.rgba[3]));
        mesh.applyMatrix4(placed(shape));
        object.add(mesh);
        object.userData.changing.set(shape.geom, { mesh, shape });
        continue;
      }
      geometry.applyMatrix4(placed(shape));
      const indexed = geometry;
      if (shape.rgba[3] >= 0.999) solid.push(indexed);
      else clear.set(shape.rgba[3], [...(clear.get(shape.rgba[3]) || []), indexed]);
    }
    const parts = [[1, solid], ...clear];
    for (const [opacity, geometries] of parts) {
      if (!geometries.length) continue;
      const mesh = new THREE.Mesh(THREE.mergeGeometries(geometries), material(opacity));
      mesh.userData.opacity = opacity;
      mesh.castShadow = shadows && opacity === 1 && group.name !== "floor";
      mesh.receiveShadow = shadows;
      object.add(mesh);
    }
    return object;
  };

  // Gives a shape that changes its looks those of one change: [time, geom, rgba, position, size].
  Doppio.repaint = function (entry, rgba, at, size) {
    const { mesh, shape } = entry;
    mesh.geometry.dispose();
    mesh.geometry = painted(geometryOf({ ...shape, size }), rgba);
    mesh.position.set(...at);
    mesh.material.opacity = rgba[3];
    mesh.material.transparent = rgba[3] < 1;
    mesh.material.needsUpdate = true;
    mesh.visible = rgba[3] > 0.001;
  };
})();

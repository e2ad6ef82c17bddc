// Time below: subgoals, plans, events, clamps and curves over one axis.
"use strict";
(function () {
  const LEFT = 150, RIGHT = 14, LANE = 22, ROW = 42, AXIS = 20;
  const KIND = {
    explore: "#46709c", "go-to": "#46709c", "push-door": "#3f85a8", "look-for": "#5d8a6a", open: "#a5793f", close: "#a5793f",
    pick: "#b9693f", place: "#b9693f", "open-lid": "#8f64b5", "close-lid": "#8f64b5", "insert-pod": "#8f64b5",
    "place-under-spout": "#8f64b5", press: "#8f64b5", carry: "#b04f6f", serve: "#b04f6f" };
  const SIGN = { robot: "#f0d264", world: "#ff9a5c", mind: "#e0564f", planner: "#58c4e8", loop: "#ff6b6b" };
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  Doppio.Timeline = class {
    constructor(episodes, parent, shared) {
      Object.assign(this, { episodes, parent, shared });
      this.duration = Math.max(...episodes.map((e) => e.duration));
      this.chosen = 0;
      this.from = 0;
      this.until = this.duration;
      this.canvas = document.createElement("canvas");
      this.cursor = Object.assign(document.createElement("div"), { id: "cursor" });
      this.values = Object.assign(document.createElement("div"), { id: "values" });
      this.tip = Object.assign(document.createElement("div"), { id: "tip", hidden: true });
      parent.append(this.canvas, this.cursor, this.values);
      document.body.append(this.tip);
      this._layOut();
      this._listen();
      new ResizeObserver(() => this.draw()).observe(parent);
    }

    _layOut() {
      let y = AXIS;
      this.lanes = [];
      const lane = (title, kind, episode, height = LANE) => { this.lanes.push({ title, kind, episode, y, height }); y += height + 2; };
      this.episodes.forEach((episode, i) => {
        const which = this.episodes.length > 1 ? " " + "AB"[i] : "";
        if (episode.planning.length) lane("planner" + which, "plans", episode, 16);
        lane("subgoals" + which, "subgoals", episode);
        lane("events" + which, "events", episode, 18);
        lane("clamps" + which, "clamps", episode, 14);
      });
      y += 4;
      this.rows = this.episodes[0].rows.map((row) => {
        const curves = row.curves.map((c) => ({ ...c, known: this.episodes.map((e) => "curve_" + c.name in e.arrays) }));
        const any = curves.some((c) => c.known.some(Boolean));
        const lacking = curves.filter((c) => !c.known.some(Boolean));
        const placed = { ...row, curves, lacking, height: any ? ROW : 20, any };
        return placed;
      });
      // What was not recorded goes below what was.
      this.rows.sort((a, b) => b.any - a.any);
      for (const row of this.rows) { row.y = y; y += row.height + 4; }
      this.height = y + 6;
    }

    x(t) { return LEFT + (t - this.from) / (this.until - this.from) * (this.width - LEFT - RIGHT); }
    timeAt(x) { return Math.min(this.duration, Math.max(0, this.from + (x - LEFT) / (this.width - LEFT - RIGHT) * (this.until - this.from))); }

    draw() {
      const ratio = Math.min(2, devicePixelRatio);
      this.width = this.parent.clientWidth;
      this.canvas.width = this.width * ratio;
      this.canvas.height = this.height * ratio;
      this.canvas.style.width = this.width + "px";
      this.canvas.style.height = this.height + "px";
      this.cursor.style.height = this.height + "px";
      const g = this.g = this.canvas.getContext("2d");
      g.setTransform(ratio, 0, 0, ratio, 0, 0);
      g.clearRect(0, 0, this.width, this.height);
      g.font = "11.5px system-ui, 'DejaVu Sans', sans-serif";
      g.textBaseline = "middle";
      this._axis();
      for (const lane of this.lanes) this._lane(lane);
      for (const row of this.rows) this._row(row);
      this.show(this.shared.time);
    }

    _axis() {
      const { g } = this, span = this.until - this.from, room = (this.width - LEFT) / 90;
      const step = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300].find((s) => span / s < room) || 600;
      g.fillStyle = "#98a1b0";
      g.strokeStyle = "#262b35";
      for (let t = Math.ceil(this.from / step) * step; t <= this.until + 1e-9; t += step) {
        const x = Math.round(this.x(t)) + 0.5;
        g.beginPath(); g.moveTo(x, AXIS); g.lineTo(x, this.height); g.stroke();
        const text = step < 1 ? t.toFixed(step < 0.1 ? 2 : 1) + " s" : Doppio.clock(t).slice(0, -3);
        g.textAlign = "center";
        g.fillText(text, x, AXIS / 2);
      }
    }

    _lane({ title, kind, episode, y, height }) {
      const { g } = this;
      g.textAlign = "right";
      g.fillStyle = "#98a1b0";
      g.fillText(title, LEFT - 10, y + height / 2);
      g.save();
      g.beginPath(); g.rect(LEFT, y - 1, this.width - LEFT - RIGHT + 6, height + 2); g.clip();
      this["_" + kind](episode, y, height);
      g.restore();
    }

    _subgoals(episode, y, height) {
      const { g } = this;
      for (const s of episode.subgoals) {
        const x = this.x(s.from), w = Math.max(2, this.x(s.until) - x - 1);
        g.fillStyle = KIND[s.kind] || "#555";
        g.beginPath(); g.roundRect(x, y, w, height, 4); g.fill();
        const bad = s.status === "failed" || s.status === "rejected";
        if (bad) { g.fillStyle = "#e0564f"; g.fillRect(x, y + height - 3, w, 3); }
        if (w > 26) {
          g.save();
          g.beginPath(); g.rect(x, y, w - 3, height); g.clip();
          g.textAlign = "left";
          g.fillStyle = "#fff";
          g.fillText((bad ? "✗ " : "") + s.words, Math.max(x, LEFT) + 6, y + height / 2);
          g.restore();
        }
      }
    }

    _plans(episode, y, height) {
      const { g } = this;
      for (const plan of episode.planning) {
        const a = this.x(plan.asked), b = this.x(plan.time);
        g.fillStyle = "#58c4e855";
        g.fillRect(a, y + 4, Math.max(1, b - a), height - 8);
        g.fillStyle = plan.error ? "#e0564f" : "#58c4e8";
        g.beginPath(); g.moveTo(b, y + 1); g.lineTo(b + 7, y + height / 2); g.lineTo(b, y + height - 1); g.fill();
      }
    }

    _events(episode, y, height) {
      const { g } = this;
      for (const e of episode.events) {
        const x = this.x(e.time);
        g.fillStyle = SIGN[e.source] || "#fff";
        g.beginPath();
        if (e.source === "world") { g.moveTo(x, y + 2); g.lineTo(x + 6, y + height - 3); g.lineTo(x - 6, y + height - 3); }
        else g.arc(x, y + height / 2, 4.5, 0, 7);
        g.fill();
      }
    }

    _clamps(episode, y, height) {
      const { g } = this;
      g.fillStyle = colour("--limit") + "99";
      for (const [a, b] of episode.clamps) g.fillRect(this.x(a), y + 2, Math.max(1, this.x(b + 0.01) - this.x(a)), height - 4);
    }

    _row(row) {
      const { g } = this, { y, height } = row;
      g.fillStyle = "#171a20";
      g.fillRect(LEFT, y, this.width - LEFT - RIGHT, height);
      g.textAlign = "right";
      g.fillStyle = "#c9ced8";
      g.fillText(row.title + (row.unit ? ` · ${row.unit}` : ""), LEFT - 10, y + 9);
      if (!row.any) { this._absent(row); return; }
      let low = row.low ?? Infinity, high = row.high ?? -Infinity;
      for (const c of row.curves) {
        this.episodes.forEach((e, i) => {
          if (!c.known[i]) return;
          const { low: a, high: b } = e.arrays["curve_" + c.name].about;
          if (row.low === null) low = Math.min(low, a);
          if (row.high === null && c.role !== "limit") high = Math.max(high, b);
        });
      }
      if (!(high > low)) high = low + 1;
      row.scale = [low, high + 0.06 * (high - low)];
      g.save();
      g.beginPath(); g.rect(LEFT, y, this.width - LEFT - RIGHT, height); g.clip();
      for (const c of [...row.curves].reverse()) this.episodes.forEach((e, i) => c.known[i] && this._curve(row, c, e, i));
      g.restore();
      g.fillStyle = "#69717f";
      g.textAlign = "left";
      g.fillText(Doppio.number(high).replace(/\.0+$/, ""), LEFT + 4, y + 8);
      if (row.lacking.length && row.absent) {
        g.textAlign = "right";
        const text = "no expectation: this policy predicts nothing", wide = g.measureText(text).width;
        g.fillStyle = "#171a20d0";
        g.fillRect(this.width - RIGHT - wide - 14, y, wide + 14, 17);
        g.fillStyle = "#69717f";
        g.fillText(text, this.width - RIGHT - 8, y + 9);
      }
    }

    _absent(row) {
      const { g } = this;
      g.save();
      g.beginPath(); g.rect(LEFT, row.y, this.width - LEFT - RIGHT, row.height); g.clip();
      g.strokeStyle = "#232832";
      for (let x = LEFT - row.height; x < this.width; x += 9) { g.beginPath(); g.moveTo(x, row.y + row.height); g.lineTo(x + row.height, row.y); g.stroke(); }
      g.restore();
      g.textAlign = "left";
      g.fillStyle = "#7d8695";
      g.fillText("not recorded — " + (row.absent || "nothing of this kind"), LEFT + 10, row.y + row.height / 2);
    }

    _curve(row, curve, episode, which) {
      const { g } = this, times = episode.arrays.step_time, values = episode.arrays["curve_" + curve.name];
      const { low, scale } = values.about, [bottom, top] = row.scale;
      const first = Math.max(0, Doppio.before(times, this.from) - 1), last = Math.min(times.length - 1, Doppio.before(times, this.until) + 2);
      const place = (coded) => row.y + row.height - 2 - (low + coded * scale - bottom) / (top - bottom) * (row.height - 6);
      g.strokeStyle = colour("--" + curve.role);
      g.globalAlpha = which ? 0.55 : 1;
      g.setLineDash(which ? [5, 3] : curve.role === "limit" && curve.name.endsWith("limit") ? [4, 4] : []);
      g.lineWidth = curve.role === "felt" || curve.role === "expected" ? 1.4 : 1.1;
      g.beginPath();
      const per = (last - first) / (this.width - LEFT - RIGHT);
      let pen = false;
      if (per <= 2) {
        for (let i = first; i <= last; i++) {
          if (values[i] === -32768) { pen = false; continue; }
          const x = this.x(times[i]), y = place(values[i]);
          if (pen) g.lineTo(x, y); else g.moveTo(x, y);
          pen = true;
        }
      } else {  // per pixel the lowest and the highest
        for (let i = first; i <= last;) {
          const x = Math.floor(this.x(times[i]));
          let a = 40000, b = -40000;
          for (; i <= last && Math.floor(this.x(times[i])) === x; i++) {
            const v = values[i];
            if (v === -32768) continue;
            if (v < a) a = v;
            if (v > b) b = v;
          }
          if (b < a) { pen = false; continue; }
          if (pen) g.lineTo(x, place(a)); else g.moveTo(x, place(a));
          g.lineTo(x, place(b) - 0.01);
          pen = true;
        }
      }
      g.stroke();
      g.setLineDash([]);
      g.globalAlpha = 1;
    }

    // Puts the cursor at t and the values there beside the rows' names.
    show(t) {
      const x = this.x(t), inside = x >= LEFT - 1 && x <= this.width - RIGHT + 1;
      this.cursor.style.display = inside ? "" : "none";
      this.cursor.style.transform = `translateX(${x}px)`;
      const episode = this.episodes[this.chosen], step = episode.stepAt(t), parts = [];
      for (const row of this.rows) {
        if (!row.any) continue;
        row.curves.forEach((c, i) => {
          const value = episode.curve(c.name, step);
          if (value === undefined || Number.isNaN(value) || i > 1) return;
          parts.push(`<div style="top:${row.y + 16 + 14 * i}px;width:${LEFT - 10}px;color:var(--${c.role})">${Doppio.number(value)}</div>`);
        });
      }
      this.values.innerHTML = parts.join("");
    }

    _listen() {
      const at = (event) => this.timeAt(event.clientX - this.canvas.getBoundingClientRect().left);
      let dragging = false;
      this.canvas.addEventListener("pointerdown", (e) => {
        dragging = true;
        this.canvas.setPointerCapture(e.pointerId);
        this.shared.seek(at(e));
      });
      this.canvas.addEventListener("pointermove", (e) => { if (dragging) this.shared.seek(at(e)); else this._hint(e, at(e)); });
      this.canvas.addEventListener("pointerup", () => { dragging = false; });
      this.canvas.addEventListener("pointerleave", () => { this.tip.hidden = true; });
      this.canvas.addEventListener("dblclick", () => { this.from = 0; this.until = this.duration; this.draw(); });
      this.canvas.addEventListener("wheel", (e) => {
        if (e.shiftKey || Math.abs(e.deltaX) > Math.abs(e.deltaY)) this._move((e.deltaX || e.deltaY) / 600 * (this.until - this.from));
        else if (e.ctrlKey || e.clientY < this.canvas.getBoundingClientRect().top + this.rows[0].y || e.altKey) this._zoom(at(e), e.deltaY);
        else return;  // over the curves the wheel scrolls
        e.preventDefault();
      }, { passive: false });
    }

    _zoom(t, by) {
      const factor = Math.exp(by / 400), span = Math.min(this.duration, Math.max(0.2, (this.until - this.from) * factor));
      const share = (t - this.from) / (this.until - this.from);
      this.from = Math.max(0, Math.min(this.duration - span, t - share * span));
      this.until = this.from + span;
      this.draw();
    }

    _move(by) {
      const span = this.until - this.from;
      this.from = Math.max(0, Math.min(this.duration - span, this.from + by));
      this.until = this.from + span;
      this.draw();
    }

    // Keeps t in view while playing.
    follow(t) {
      if (t > this.until || t < this.from) this._move(t - this.from - 0.05 * (this.until - this.from));
    }

    _hint(e, t) {
      const y = e.clientY - this.canvas.getBoundingClientRect().top, text = this._textAt(e.clientX, y, t);
      this.tip.hidden = !text;
      if (!text) return;
      this.tip.innerHTML = text;
      this.tip.style.left = Math.min(e.clientX + 14, innerWidth - 400) + "px";
      this.tip.style.top = Math.max(6, e.clientY - this.tip.offsetHeight - 12) + "px";
    }

    _textAt(x, y, t) {
      const row = this.rows.find((r) => y >= r.y && y < r.y + r.height);
      if (row) {
        if (x - this.canvas.getBoundingClientRect().left < LEFT || !row.any) return `<b>${row.title}</b><br>${Doppio.escape(row.about)}`;
        const episode = this.episodes[this.chosen], step = episode.stepAt(t);
        const values = row.curves.map((c) => [c, episode.curve(c.name, step)]).filter(([, v]) => v !== undefined && !Number.isNaN(v));
        return `<b>${row.title}</b> at ${Doppio.clock(t)}<br>` + values.map(([c, v]) => `<span class="key ${c.role}" style="margin:0">${c.label} ${Doppio.number(v)} ${row.unit}</span>`).join("<br>");
      }
      const lane = this.lanes.find((l) => y >= l.y && y < l.y + l.height);
      if (!lane) return "";
      const near = 6 * (this.until - this.from) / (this.width - LEFT), { episode } = lane;
      if (lane.kind === "subgoals") {
        const s = episode.subgoalAt(t);
        return s ? `<b>${Doppio.escape(s.words)}</b><br>${s.status}${s.reason ? ": " + s.reason.replaceAll("-", " ") : ""}, ${(s.until - s.from).toFixed(1)} s, attempt ${s.attempts}<br><span class="dim">${Doppio.escape(s.why)}</span>` : "waiting for a plan";
      }
      if (lane.kind === "events") return episode.events.filter((e) => Math.abs(e.time - t) < near).map((e) => `${Doppio.clock(e.time)} ${Doppio.escape(e.words)}${e.value !== null && e.bound !== null ? ` (${Doppio.number(e.value)}, bound ${Doppio.number(e.bound)})` : ""}`).join("<br>");
      if (lane.kind === "plans") return episode.planning.filter((p) => Math.abs(p.time - t) < near).map((p) => `<b>the planner</b> ${Doppio.clock(p.time)}<br>${Doppio.escape(p.says || p.error)}`).join("<br>");
      return episode.clamps.filter(([a, b]) => a - near <= t && t <= b + near).map(([a, b, name, asked, bound]) => `${name.replaceAll("_", " ")}: asked ${Doppio.number(asked)}, bound ${Doppio.number(bound)}, for ${(b - a + 0.01).toFixed(2)} s`).slice(0, 6).join("<br>");
    }
  };

  Doppio.number = (v) => Math.abs(v) >= 100 ? v.toFixed(0) : Math.abs(v) >= 10 ? v.toFixed(1) : v.toFixed(2);
  Doppio.escape = (text) => { const e = document.createElement("span"); e.textContent = text || ""; return e.innerHTML; };
})();

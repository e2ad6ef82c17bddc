// On the right: what the planner said, what the fast mind is about, what is felt, and why it went as it did.
"use strict";
(function () {
  const ROWS = 12, COLUMNS = 8, TAXEL = 9;
  const STOPS = [[18, 22, 48], [66, 42, 120], [190, 62, 90], [245, 150, 60], [252, 245, 170]];
  const SKIN = [["upper arm", 0, 8, 4], ["forearm", 32, 8, 4], ["hand", 64, 8, 2], ["left finger", 80, 4, 2], ["right finger", 88, 4, 2]];

  const HEAT = Array.from({ length: 256 }, (_, v) => {
    const at = v / 255 * (STOPS.length - 1), i = Math.min(STOPS.length - 2, Math.floor(at)), part = at - i;
    return STOPS[i].map((c, k) => c + (STOPS[i + 1][k] - c) * part);
  });

  Doppio.Panels = class {
    constructor(episode, parent, shared) {
      Object.assign(this, { episode, parent, shared });
      parent.innerHTML = `
        <div class="card" id="slow"><h2>slow mind <small>the planner: says what to do next</small></h2><p class="says"></p><ol class="plan"></ol>
          <details><summary></summary><div class="more"></div></details></div>
        <div class="card" id="fast"><h2>fast mind <small>100 times a second: feels and moves</small></h2><p></p><div class="gauges"></div></div>
        <div class="card" id="touch"><h2>touch <small>pressure on the pads, seen from between them; skin of arm and hand</small></h2>
          <div class="touch"><figure><canvas id="pad-0" width="${COLUMNS}" height="${ROWS}" style="width:${COLUMNS * TAXEL}px;height:${ROWS * TAXEL}px"></canvas>left pad</figure>
          <figure><canvas id="pad-1" width="${COLUMNS}" height="${ROWS}" style="width:${COLUMNS * TAXEL}px;height:${ROWS * TAXEL}px"></canvas>right pad</figure>
          <figure><canvas id="skin" width="8" height="16" style="width:88px;height:108px"></canvas>arm, hand</figure><figure id="grip" style="text-align:left;line-height:1.7;font-size:12.5px"></figure></div></div>
        <div class="card why" id="why"><h2>why it went this way <small>rules over the record</small></h2><ul></ul></div>`;
      this.plan = null;
      this._why();
    }

    _why() {
      const list = this.parent.querySelector("#why ul");
      for (const { text, time } of this.episode.why) {
        const item = document.createElement("li");
        item.innerHTML = Doppio.escape(text) + (time === null ? "" : ` <a data-time="${time}">${Doppio.clock(time)}</a>`);
        list.append(item);
      }
      this.parent.querySelector("#why").hidden = !this.episode.why.length;
      list.addEventListener("click", (e) => { if (e.target.dataset.time) this.shared.seek(+e.target.dataset.time); });
    }

    show(t) {
      const step = this.episode.stepAt(t);
      this._planner(t);
      this._mind(t, step);
      this._touch(step);
    }

    _planner(t) {
      const card = this.parent.querySelector("#slow"), plan = this.episode.planAt(t);
      if (!this.episode.planning.length) {
        card.querySelector(".says").innerHTML = `<span class="absent">no planner here: the task is one subgoal, given from outside</span>`;
        card.querySelector("details").hidden = true;
        return;
      }
      if (plan !== this.plan || !this.drawn) {
        this.plan = plan;
        this.drawn = true;
        card.querySelector(".says").textContent = plan ? plan.says || plan.error || (plan.done ? "done" : "") : "has not said anything yet";
        const more = card.querySelector(".more");
        card.querySelector("summary").textContent = plan ? `asked at ${Doppio.clock(plan.asked)}, heeded from ${Doppio.clock(plan.time)} on; it was told ${plan.facts.length} facts` : "";
        more.innerHTML = "";
        for (const [title, text] of plan ? [["what it was asked", plan.prompt], ["what it replied", plan.reply], ["what it was told", plan.facts.join("\n")]] : []) {
          if (text) more.innerHTML += `<div class="dim">${title}</div><pre>${Doppio.escape(text)}</pre>`;
        }
        card.querySelector("details").hidden = !plan;
      }
      const list = card.querySelector("ol");
      const next = plan ? this.episode.planning.find((p) => p.time > plan.time) : null;
      const given = plan ? this.episode.subgoals.filter((s) => s.from >= plan.time - 1e-6 && (!next || s.from < next.time)) : [];
      list.innerHTML = (plan ? plan.steps : []).map((planned, i) => {
        const s = given[i], state = !s || s.from > t ? "" : t < s.until ? "now" : s.status === "failed" || s.status === "rejected" ? "failed" : "done";
        return `<li class="${state}" title="${Doppio.escape(planned.why)}" ${s ? `data-time="${s.from}"` : ""}>${Doppio.escape(planned.words)}</li>`;
      }).slice(0, 14).join("");
      list.onclick = (e) => { if (e.target.dataset.time) this.shared.seek(+e.target.dataset.time); };
    }

    _mind(t, step) {
      const card = this.parent.querySelector("#fast"), { episode } = this, s = episode.subgoalAt(t);
      const left = s ? ` · ${(t - s.from).toFixed(1)} of at most ${s.limits.time_s.toFixed(0)} s` : "";
      card.querySelector("p").innerHTML = s
        ? `<b>${Doppio.escape(s.words)}</b><br><span class="dim">${Doppio.escape(episode.phaseAt(t))}${left}${s.attempts > 1 ? ` · ${s.attempts} attempts in all` : ""}</span>`
        : `<span class="dim">waits for a plan and looks about</span>`;
      const gauge = (label, name, high, unit, role) => {
        const value = episode.curve(name, step);
        if (value === undefined || Number.isNaN(value)) return `<span>${label}</span><span class="absent">${value === undefined ? "not predicted by this policy" : "nothing acts now"}</span><span></span>`;
        const share = Math.max(0, Math.min(1, value / high));
        return `<span>${label}</span><span class="gauge"><b style="width:${100 * share}%;background:var(--${role})"></b></span><span class="value">${Doppio.number(value)} ${unit}</span>`;
      };
      card.querySelector(".gauges").innerHTML =
        gauge("success", "success_probability", 1, "", "expected") + gauge("time to go", "time_to_go", 10, "s", "expected") +
        gauge("surprise", "surprise", 2, "", "limit") + gauge("uncertainty", "disagreement", 2, "σ", "other") +
        gauge("hand pushed", "wrist", 60, "N", "felt") + gauge("latency", "latency", 10, "ms", "applied");
    }

    _touch(step) {
      const { pads, skin } = this.episode.arrays, row = Math.min(Math.floor(step / pads.about.every), pads.about.shape[0] - 1);
      for (const pad of [0, 1]) {
        const start = (2 * row + pad) * ROWS * COLUMNS;
        paint(this.parent.querySelector(`#pad-${pad}`), pads, start, ROWS * COLUMNS);
      }
      // Sections of skin, one below the other: around across, along down.
      const canvas = this.parent.querySelector("#skin"), cells = new Uint8Array(8 * 16);
      let y = 0;
      for (const [, first, around, along] of SKIN) {
        for (let a = 0; a < around; a++) for (let l = 0; l < along; l++) cells[(y + l) * 8 + a * (8 / around)] = skin[96 * row + first + a * along + l];
        y += along + (y < 8 ? 1 : 0);
      }
      paint(canvas, cells, 0, cells.length);
      const of = (name) => this.episode.curve(name, step), said = (v, unit) => v === undefined || Number.isNaN(v) ? "–" : Doppio.number(v) + " " + unit;
      this.parent.querySelector("#grip").innerHTML = `left ${said(of("pad_left"), "N")}<br>right ${said(of("pad_right"), "N")}<br>open ${said(of("width"), "mm")}` +
        (of("slip") > 0.5 ? `<br><b style="color:var(--limit)">slip!</b>` : "");
    }
  };

  function paint(canvas, values, start, count) {
    const g = canvas.getContext("2d"), image = g.createImageData(canvas.width, canvas.height);
    for (let i = 0; i < count; i++) {
      const [r, gr, b] = HEAT[values[start + i]];
      image.data.set([r, gr, b, 255], 4 * i);
    }
    g.putImageData(image, 0, 0);
  }
})();

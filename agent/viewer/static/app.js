// Puts the parts together: one clock, one cursor, one or two episodes.
"use strict";
(async function () {
  const $ = (id) => document.getElementById(id);
  addEventListener("error", (e) => { $("loading").firstElementChild.textContent = `This page failed: ${e.message}`; });
  addEventListener("unhandledrejection", (e) => { $("loading").firstElementChild.textContent = `This page failed: ${e.reason}`; });
  let episodes;
  try {
    episodes = await Doppio.load();
  } catch (error) {
    $("loading").firstElementChild.textContent = `This episode cannot be shown: ${error.message}`;
    throw error;
  }
  const [first, second] = episodes;
  const shared = {
    time: 0, playing: false, speed: 1, view: "follow",
    layers: { seen: true, believed: false, view: true, scan: false },
    names: second ? (e) => (e === first ? "A · " : "B · ") + nameOf(e) : null,
    seek, redraw,
  };
  const stages = episodes.map((e) => new Doppio.Stage(e, $("stages"), shared));
  $("stages").classList.toggle("two", Boolean(second));
  let panels = new Doppio.Panels(first, $("side"), shared);
  const timeline = new Doppio.Timeline(episodes, $("timeline"), shared);
  const end = timeline.duration;

  function nameOf(e) {
    const h = e.header, changes = Object.entries(h.changes || {}).map(([k, v]) => `${k} = ${v}`).join(", ");
    return `${h.policy}, ${h.planner} planner${h.parent ? `, forked at step ${h.forked_at_step}` : ""}${changes ? `: ${changes}` : ""}`;
  }

  function head() {
    const h = first.header, { outcome } = first;
    $("title").textContent = `${h.task.replaceAll("-", " ")} · ${h.split} ${h.index}` + (second ? " · two episodes" : "");
    $("outcome").textContent = second ? `A ${outcome.word}, B ${second.outcome.word}` : outcome.word;
    $("outcome").classList.add(outcome.good ? "good" : "bad");
    const parting = second ? partingTime() : null;
    $("facts").textContent = second
      ? (parting === null ? "they never part by more than a centimetre" : `they part at ${Doppio.clock(parting)}`)
      : `${outcome.words} · ${nameOf(first)} · ${Doppio.clock(first.duration)} · code ${h.code.sources} · ${h.started.slice(0, 16).replace("T", " ")}`;
    const lost = [...first.damage, (outcome.summary || {}).not_recorded].filter(Boolean);
    $("damage").hidden = !lost.length;
    $("damage").textContent = `${lost.length} part${lost.length > 1 ? "s" : ""} of the log missing`;
    $("damage").title = lost.join("\n");
    document.title = `${h.task} ${h.split} ${h.index} · ${outcome.word}`;
    if (second && first.header.parent === second.name) shared.forked = first.header.forked_at_step;
  }

  // The first moment at which hand or base of the two are more than a centimetre apart.
  function partingTime() {
    const far = (a, b) => a && b && Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]) > 0.01;
    for (let t = 0; t < Math.min(first.duration, second.duration); t += 0.04) {
      for (const body of ["hand", "robot"]) if (far(stages[0].where(body, t), stages[1].where(body, t))) return t;
    }
    return null;
  }

  // With two episodes, the panels on the right and the numbers below are of one of them.
  function choose(number) {
    panels = Doppio.panels = new Doppio.Panels(episodes[number], $("side"), shared);
    timeline.chosen = number;
    if (!second) return;
    const line = Object.assign(document.createElement("div"), { id: "which" });
    line.append("of");
    episodes.forEach((e, i) => {
      const button = Object.assign(document.createElement("button"), { textContent: "AB"[i], title: nameOf(e) });
      button.classList.toggle("on", i === number);
      button.onclick = () => { choose(i); show(); };
      line.append(button);
    });
    line.append(nameOf(episodes[number]));
    $("side").prepend(line);
  }

  const REST_MS = 350;
  let waiting = false, resting = 0;
  function redraw() {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      for (const stage of stages) stage.draw();
      clearTimeout(resting);
      if (!shared.playing) resting = setTimeout(() => { for (const stage of stages) stage.rest(); }, REST_MS);
    });
  }

  function show() {
    const t = shared.time;
    for (const stage of stages) stage.show(Math.min(t, stage.episode.duration));
    panels.show(Math.min(t, panels.episode.duration));
    timeline.show(t);
    $("clock").textContent = `${Doppio.clock(t)} / ${Doppio.clock(end)}`;
    $("clock").title = `step ${first.stepAt(t)} of ${first.steps - 1}`;
    const event = first.eventNear(t, 1.0);
    $("happens").textContent = event ? event.words : "";
    redraw();
  }

  function seek(t) {
    shared.time = Math.min(end, Math.max(0, t));
    timeline.follow(shared.time);
    show();
    if (!shared.playing) remember();
  }

  let remembered = 0;
  function remember() {
    clearTimeout(remembered);
    remembered = setTimeout(() => history.replaceState(null, "", hash()), 150);
  }
  function hash() { return `#t=${shared.time.toFixed(2)}`; }

  let last = 0;
  function tick(now) {
    if (!shared.playing) return;
    const passed = Math.min(0.25, (now - last) / 1000);
    last = now;
    shared.time = Math.min(end, shared.time + passed * shared.speed);
    timeline.follow(shared.time);
    show();
    if (shared.time >= end) play(false);
    else requestAnimationFrame(tick);
  }

  function play(on) {
    shared.playing = on;
    $("play").textContent = on ? "❚❚" : "▶";
    if (on) {
      if (shared.time >= end) shared.time = 0;
      last = performance.now();
      requestAnimationFrame(tick);
    } else remember();
  }

  function step(by) {
    play(false);
    seek(first.timeOf(first.stepAt(shared.time) + by));
  }

  function toEvent(direction) {
    play(false);
    const marks = [...first.marks, ...first.subgoals.map((s) => s.from)].sort((a, b) => a - b);
    const found = direction > 0 ? marks.find((m) => m > shared.time + 0.006) : marks.findLast((m) => m < shared.time - 0.006);
    if (found !== undefined) seek(found);
  }

  function tools() {
    const parts = [
      ["layers", [["seen", "seen", "--seen"], ["believed", "believed", "--believed"], ["view", "camera's view", "--seen"], ["scan", "scanner", "#8fb3ff"]]],
      ["view", [["follow", "follow"], ["above", "from above"], ["eye", "its eye"], ["hand", "the hand"], ["free", "free"]]],
    ];
    const place = stages[stages.length - 1].element.querySelector(".tools");
    const buttons = [];
    for (const [kind, entries] of parts) {
      const line = document.createElement("div");
      for (const [name, text, dot] of entries) {
        const button = document.createElement("button");
        button.id = `${kind}-${name}`;
        button.innerHTML = (dot ? `<i style="background:${dot[0] === "#" ? dot : `var(${dot})`}"></i>` : "") + text;
        button.onclick = () => { if (kind === "layers") shared.layers[name] = !shared.layers[name]; else shared.view = name; mark(); show(); };
        buttons.push([button, kind, name]);
        line.append(button);
      }
      place.append(line);
    }
    function mark() {
      for (const [button, kind, name] of buttons) button.classList.toggle("on", kind === "layers" ? shared.layers[name] : shared.view === name);
    }
    mark();
    return mark;
  }

  const mark = tools();
  const KEYS = {
    " ": () => play(!shared.playing), ArrowLeft: (e) => e.shiftKey ? seek(shared.time - 1) : step(-1),
    ArrowRight: (e) => e.shiftKey ? seek(shared.time + 1) : step(1), Home: () => seek(0), End: () => seek(end),
    n: () => toEvent(1), p: () => toEvent(-1), "?": () => { $("guide").hidden = !$("guide").hidden; }, Escape: () => { $("guide").hidden = true; },
    s: () => $("layers-seen").click(), b: () => $("layers-believed").click(), c: () => $("layers-view").click(), l: () => $("layers-scan").click(),
    1: () => $("view-follow").click(), 2: () => $("view-above").click(), 3: () => $("view-eye").click(), 4: () => $("view-hand").click(),
  };
  addEventListener("keydown", (e) => {
    if (e.target.matches?.("select, input") || e.ctrlKey || e.metaKey || !(e.key in KEYS)) return;
    e.preventDefault();
    KEYS[e.key](e);
  });
  $("play").onclick = () => play(!shared.playing);
  $("to-start").onclick = () => seek(0);
  $("back").onclick = () => step(-1);
  $("forward").onclick = () => step(1);
  $("next").onclick = () => toEvent(1);
  $("previous").onclick = () => toEvent(-1);
  $("speed").onchange = (e) => { shared.speed = +e.target.value; e.target.blur(); };
  $("help").onclick = () => { $("guide").hidden = false; };
  $("guide-close").onclick = () => { $("guide").hidden = true; };
  function copyFrom(id, text) {
    const before = $(id).textContent;
    $(id).onclick = () => {
      navigator.clipboard?.writeText(text());
      $(id).textContent = "copied";
      setTimeout(() => { $(id).textContent = before; }, 1200);
    };
  }
  const forkCommand = () => `doppio replay ${first.name} --fork ${first.stepAt(shared.time)} --set mug.mass=0.6`;
  copyFrom("link", () => location.href.split("#")[0] + hash());
  copyFrom("fork", forkCommand);
  $("fork").hidden = !first.scene.truth;
  addEventListener("hashchange", () => fromHash());
  function fromHash() {
    const t = parseFloat((location.hash.match(/t=([\d.]+)/) || [])[1]);
    if (!Number.isNaN(t)) seek(t);
  }

  head();
  choose(0);
  timeline.draw();
  const deepLink = /t=/.test(location.hash);
  // What is drawn for the first time takes long; later nobody shall wait for it.
  for (const part of [0.2, 0.5, 0.8]) {
    for (const stage of stages) { stage.show(part * stage.episode.duration); stage.draw(); }
  }
  seek(0);
  fromHash();
  for (const stage of stages) stage.draw();
  $("loading").hidden = true;
  try {
    if (!deepLink && !localStorage.getItem("doppio-guide")) {
      $("guide").hidden = false;
      localStorage.setItem("doppio-guide", "1");
    }
  } catch { /* pages of files may have no storage */ }

  // From the wish to the finished picture, the way a person's click goes, in milliseconds; for tests.
  async function measureSeek(t) {
    const began = performance.now();
    seek(t);
    Doppio.seekScript = performance.now() - began;
    await new Promise((resolve) => requestAnimationFrame(resolve));  // behind the one that draws
    for (const { renderer } of stages) {
      const gl = renderer.getContext();
      gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4));
    }
    return performance.now() - began;
  }
  Object.assign(Doppio, { shared, stages, panels, timeline, episodes, play, step, seek, toEvent, measureSeek, forkCommand, mark, ready: true });
})();

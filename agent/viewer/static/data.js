// Reads the block that agent/viewer/arrays.py writes.
"use strict";
const Doppio = {};

Doppio.unpack = function (buffer) {
  const bytes = new Uint8Array(buffer);
  if (String.fromCharCode(...bytes.subarray(0, 4)) !== "DOPV") throw new Error("this is no episode's data");
  const length = new DataView(buffer).getUint32(4, true);
  const about = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
  const types = { f4: Float32Array, i4: Int32Array, i2: Int16Array, u1: Uint8Array, u2: Uint16Array };
  const arrays = {};
  for (const [name, d] of Object.entries(about.arrays)) {
    const size = d.shape.reduce((a, b) => a * b, 1);
    const values = new types[d.type](buffer, 8 + length + d.offset, size);
    if (d.differences && !d.summed) {
      const row = size / d.shape[0];
      for (let i = row; i < size; i++) values[i] += values[i - row];  // wraps as it did when it was written
    }
    arrays[name] = Object.assign(values, { about: d });
  }
  return new Doppio.Episode(about, arrays);
};

Doppio.gunzip = async function (bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
};

// The data of all episodes of this page: elements that carry either the bytes or where to get them.
Doppio.load = function () {
  const places = [...document.querySelectorAll("script.episode")];
  return Promise.all(places.map(async (place) => {
    let bytes;
    if (place.dataset.url) {
      const answer = await fetch(place.dataset.url);
      if (!answer.ok) throw new Error(await answer.text());
      bytes = new Uint8Array(await answer.arrayBuffer());
    } else {
      bytes = Uint8Array.from(atob(place.textContent.trim()), (c) => c.charCodeAt(0));
    }
    return Doppio.unpack(await Doppio.gunzip(bytes));
  }));
};

// Index of the last value at or before t in an ascending array; -1 before the first.
Doppio.before = function (times, t) {
  let low = 0, high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] <= t + 1e-5) low = middle + 1; else high = middle;
  }
  return low - 1;
};

Doppio.Episode = class {
  constructor(about, arrays) {
    Object.assign(this, about);
    this.arrays = arrays;
    this.steps = arrays.step_time.length;
    this.marks = this.events.map((e) => e.time);
    this.phaseTimes = this.phases.map((p) => p[0]);
  }
  stepAt(t) { return Math.max(0, Doppio.before(this.arrays.step_time, t)); }
  timeOf(step) { return this.arrays.step_time[Math.min(Math.max(step, 0), this.steps - 1)]; }
  // Value of a curve at a step; NaN where there is none, undefined where the curve was not recorded.
  curve(name, step) {
    const values = this.arrays["curve_" + name];
    if (!values) return undefined;
    const coded = values[step];
    return coded === -32768 ? NaN : values.about.low + coded * values.about.scale;
  }
  subgoalAt(t) {
    let found = null;
    for (const s of this.subgoals) if (s.from <= t + 1e-6 && t < s.until + 1e-6) found = s;
    return found;
  }
  planAt(t) { return this.planning.findLast((p) => p.time <= t + 1e-6) || null; }
  phaseAt(t) {
    const i = Doppio.before(this.phaseTimes, t);
    return i < 0 ? "" : this.phases[i][1].replaceAll("-", " ");
  }
  eventNear(t, within) {
    let best = null;
    for (const e of this.events) if (e.time <= t + 1e-6 && t - e.time < within && e.name !== "mode-ok") best = e;
    return best;
  }
};

Doppio.clock = function (t) {
  const minutes = Math.floor(t / 60);
  return minutes + ":" + (t - 60 * minutes).toFixed(2).padStart(5, "0");
};

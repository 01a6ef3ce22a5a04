// The per-frame curve: every variant as a thin line, the selected one strong, the scale behind it as bands.
// Axis, ticks and the texts of values come ready from the report's data; here they only get places.

const MARGIN = { top: 14, right: 10, bottom: 24, left: 46 };
const INFINITY_LANE = 18; // pixels above the axis for frames that are equal

class Chart {
  /** Args: where to draw, and who is told of a frame that is sought or pointed at (null: no more). */
  constructor(plot, { onSeek, onPoint }) {
    Object.assign(this, { plot, svg: plot.querySelector("svg"), tip: plot.querySelector(".tip"), onSeek, onPoint, view: null });
    new ResizeObserver(() => this.draw()).observe(plot);
    plot.addEventListener("pointermove", (event) => this.hover(event));
    plot.addEventListener("pointerleave", () => this.onPoint(null));
    plot.addEventListener("pointerdown", (event) => this.press(event));
  }

  /** Show a view: { axis, frames, curves: [{ name, frames, curve, selected }] }. */
  show(view) {
    this.view = view;
    this.draw();
  }

  draw() {
    const width = this.plot.clientWidth;
    const height = this.plot.clientHeight;
    if (!this.view || !width || !height) return;
    this.point(null);
    this.places = places(this.view, width, height);
    this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    if (!this.view.curves.length) return this.leaveEmpty();
    this.svg.replaceChildren(
      ...bands(this.selected(), this.view.axis, this.places),
      ...yAxis(this.view.axis, this.places),
      ...xAxis(this.places),
      ...this.view.curves.filter((line) => !line.selected).map((line) => curve(line, this.places)),
      ...referenceLine(this.selected(), this.places),
      ...this.view.curves.filter((line) => line.selected).map((line) => curve(line, this.places)),
      (this.guide = shape("line", { class: "guide", y1: this.places.top, y2: this.places.bottom, visibility: "hidden" })),
      (this.cursor = shape("line", { class: "cursor", y1: this.places.top, y2: this.places.bottom })),
      (this.dot = shape("circle", { class: "dot", r: 4.5 })),
      (this.readout = shape("text", { class: "readout" }, "")),
    );
    this.plot.querySelector(".empty").hidden = Boolean(this.selected()?.curve.values.length);
    this.moveTo(this.frame ?? 0);
  }

  leaveEmpty() {
    this.places = null;
    this.svg.replaceChildren();
    this.plot.querySelector(".empty").hidden = false;
  }

  selected() {
    return this.view?.curves.find((line) => line.selected);
  }

  /** Return what the selected curve says of a frame: its value, and as text; empty where it says nothing. */
  valueAt(frame) {
    const line = this.selected();
    const n = line ? line.frames.indexOf(frame) : -1;
    return n < 0 ? { value: null, shown: "" } : { value: line.curve.values[n] ?? null, shown: line.curve.shown[n] ?? "" };
  }

  /** Put the cursor on a frame of the reference. */
  moveTo(frame) {
    this.frame = frame;
    if (!this.places) return;
    const { value, shown } = this.valueAt(frame);
    const x = this.places.x(frame);
    for (const end of ["x1", "x2"]) this.cursor.setAttribute(end, x);
    this.cursor.setAttribute("visibility", this.view.frames.length ? "visible" : "hidden");
    this.dot.setAttribute("visibility", value === null ? "hidden" : "visible");
    this.readout.textContent = value === null ? "" : shown;
    if (value === null) return;
    const y = this.places.y(value);
    const before = x > (this.places.left + this.places.right) / 2;
    put(this.dot, { cx: x, cy: y });
    put(this.readout, { x: before ? x - 9 : x + 9, y: y < 40 ? y + 19 : y - 9, "text-anchor": before ? "end" : "start" });
  }

  hover(event) {
    if (event.buttons && event.pointerType === "mouse") this.press(event);
    const frame = this.under(event);
    if (frame === null) return;
    this.onPoint(frame);
    this.mark(nearest(this.view.curves, frame, this.pointer(event).y, this.places));
    this.tell(frame);
  }

  /** Show what the curves say of a frame that is pointed at, here or in another chart; null takes it away. */
  point(frame) {
    if (frame === null || !this.places) {
      this.tip.hidden = true;
      this.guide?.setAttribute("visibility", "hidden");
      return this.mark(null);
    }
    const x = this.places.x(frame);
    put(this.guide, { x1: x, x2: x, visibility: "visible" });
    this.tell(frame);
  }

  /** Make the line under the pointer readable among the thin ones. */
  mark(near) {
    this.near = near;
    for (const line of this.svg.querySelectorAll(".line")) line.classList.toggle("near", line.dataset.name === near?.name);
  }

  tell(frame) {
    const [tip, near] = [this.tip, this.near];
    tip.querySelector(".tip-frame").textContent = frame;
    tip.querySelector(".tip-value").textContent = this.valueAt(frame).shown;
    tip.querySelector(".tip-other").hidden = !near;
    if (near) {
      tip.querySelector(".tip-name").textContent = near.name;
      tip.querySelector(".tip-near").textContent = near.shown;
    }
    tip.hidden = false;
    const x = this.places.x(frame);
    const room = this.plot.clientWidth - tip.offsetWidth - 4;
    tip.style.left = `${Math.max(4, Math.min(room, x + 12 > room ? x - tip.offsetWidth - 12 : x + 12))}px`;
  }

  press(event) {
    const frame = this.under(event);
    if (frame !== null) this.onSeek(frame);
  }

  pointer(event) {
    const box = this.svg.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  /** Return the frame that is nearest to the pointer. */
  under(event) {
    const frames = this.view?.frames ?? [];
    if (!frames.length || !this.places) return null;
    const { x } = this.pointer(event);
    const away = (frame) => Math.abs(this.places.x(frame) - x);
    return frames.reduce((best, frame) => (away(frame) < away(best) ? frame : best));
  }
}

/** Return the functions that give values and frames their places. */
function places({ axis, curves, frames }, width, height) {
  const numbers = [...frames, ...curves.flatMap((line) => line.frames)];
  const first = numbers.reduce((a, b) => Math.min(a, b), numbers[0] ?? 0);
  const last = numbers.reduce((a, b) => Math.max(a, b), numbers[0] ?? 0);
  const [left, right] = [MARGIN.left, width - MARGIN.right];
  const [top, bottom] = [MARGIN.top + (axis.infinite ? INFINITY_LANE : 0), height - MARGIN.bottom];
  const span = last - first || 1;
  return {
    left,
    right,
    bottom,
    first,
    last,
    top: MARGIN.top,
    x: (frame) => (last === first ? (left + right) / 2 : left + ((frame - first) / span) * (right - left)),
    y: (value) => (value === "inf" ? MARGIN.top : bottom - ((value - axis.low) / (axis.high - axis.low)) * (bottom - top)),
  };
}

/** Draw what means nothing (at or beyond the floor) and what another seed looks like (at or beyond the ceiling). */
function bands(line, axis, at) {
  if (!line) return [];
  const { floor, ceiling, spread } = line.curve;
  const up = axis.closer === "up";
  const closest = up ? at.top : at.bottom;
  const farthest = up ? at.bottom : at.top;
  const band = (name, from, to) =>
    shape("rect", { class: name, x: at.left, width: at.right - at.left, y: Math.min(from, to), height: Math.abs(from - to) });
  const rule = (name, value) => shape("line", { class: name, x1: at.left, x2: at.right, y1: at.y(value), y2: at.y(value) });
  return [
    ...(floor === null ? [] : [band("band-floor", at.y(floor), closest), rule("rule-floor", floor)]),
    ...(ceiling === null ? [] : [band("band-ceiling", at.y(ceiling), farthest), rule("rule-ceiling", ceiling)]),
    ...(spread ? [band("band-spread", at.y(spread[0]), at.y(spread[1]))] : []),
  ];
}

function yAxis(axis, at) {
  const ticks = axis.infinite ? [...axis.ticks, ["inf", "∞"]] : axis.ticks;
  return ticks.flatMap(([value, text]) => [
    shape("line", { class: "grid", x1: at.left, x2: at.right, y1: at.y(value), y2: at.y(value) }),
    shape("text", { class: value === "inf" ? "tick-y infinite" : "tick-y", x: at.left - 8, y: at.y(value) + 4 }, text),
  ]);
}

function xAxis(at) {
  const room = Math.max(1, Math.floor((at.right - at.left) / 56));
  const step = [1, 2, 4, 5, 8, 10, 20, 25, 50, 100, 200, 500, 1000, 2000, 5000].find((s) => (at.last - at.first) / s <= room) ?? 10000;
  const frames = [];
  for (let frame = Math.ceil(at.first / step) * step; frame <= at.last; frame += step) frames.push(frame);
  return frames.map((frame) => shape("text", { class: "tick-x", x: at.x(frame), y: at.bottom + 17 }, String(frame)));
}

function curve({ name, frames, curve: { values }, selected, control }, at) {
  const points = frames
    .map((frame, n) => [frame, values[n] ?? null])
    .filter(([, value]) => value !== null)
    .map(([frame, value]) => [at.x(frame), at.y(value)]);
  const kind = `line${selected ? " selected" : ""}${control ? " control" : ""}`;
  const drawn =
    points.length === 1
      ? shape("circle", { class: kind, cx: points[0][0], cy: points[0][1], r: 3 })
      : shape("polyline", { class: kind, points: points.map((point) => point.join(",")).join(" ") });
  drawn.dataset.name = name;
  return drawn;
}

/** Draw the reference's own values, where a curve has them to be read against. */
function referenceLine(line, at) {
  if (!line?.curve.reference) return [];
  const drawn = curve({ ...line, name: "", curve: { values: line.curve.reference }, selected: false, control: false }, at);
  drawn.classList.add("reference");
  return [drawn];
}

/** Return the thin line that passes nearest to the pointer at a frame, if one is near. */
function nearest(curves, frame, y, at) {
  const near = curves
    .filter((line) => !line.selected && line.frames.includes(frame))
    .map((line) => [line, line.frames.indexOf(frame)])
    .map(([line, n]) => ({ name: line.name, shown: line.curve.shown[n], away: Math.abs(at.y(line.curve.values[n]) - y) }))
    .sort((a, b) => a.away - b.away)[0];
  return near && near.away < 16 ? near : null;
}

function shape(kind, attributes, text) {
  const element = put(document.createElementNS("http://www.w3.org/2000/svg", kind), attributes);
  if (text !== undefined) element.textContent = text;
  return element;
}

function put(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

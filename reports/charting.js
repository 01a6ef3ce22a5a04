// The charting library and what it draws. The page carries Vega packed and starts it once the first picture is there:
// the clips come first. Where it cannot be started the page says so, and the tables hold the same numbers.

let library = null;

/** Start the library, once; resolves when it can draw. */
function startCharting() {
  library ??= unpack();
  library.catch(() => all(".undrawable").forEach((text) => (text.hidden = false)));
  return library;
}

async function unpack() {
  const { packed, specs } = JSON.parse(one("#report-charting").textContent);
  const bytes = Uint8Array.from(atob(packed), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  const script = document.createElement("script");
  script.textContent = await new Response(stream).text();
  document.head.append(script); // runs immediately: the page's policy names its hash
  script.remove();
  one("#report-charting").remove();
  return { draw: window.vegaEmbed, specs };
}

/** One chart, as large as the element that it is in; what is set before it is drawn waits for it. */
class Drawing {
  /** Args: where to draw, the kind of specification, and a callback for when its places have changed. */
  constructor(ground, kind, onPlaced) {
    Object.assign(this, { ground, kind, onPlaced, signals: {}, rows: {}, view: null, drawing: false });
    new ResizeObserver(() => this.fit()).observe(ground);
  }

  /** Draw, now or as soon as the element can be seen. */
  async begin() {
    this.library = await startCharting();
    this.fit();
  }

  async fit() {
    if (!this.library || !this.ground.clientWidth || this.drawing) return;
    if (!this.view) {
      this.drawing = true;
      const { draw, specs } = this.library;
      // `ast`: expressions are interpreted, for the page's policy lets no text become code.
      const quiet = { mode: "vega", ast: true, actions: false, defaultStyle: false, tooltip: false, hover: false, renderer: "svg" };
      this.view = (await draw(this.ground, structuredClone(specs[this.kind]), quiet)).view;
      this.drawing = false;
      this.set(this.signals, this.rows);
    }
    const { left, right, top, bottom } = this.view.padding();
    this.view.width(this.ground.clientWidth - left - right).height(this.ground.clientHeight - top - bottom);
    await this.view.runAsync();
    this.onPlaced();
  }

  /** Set signals, and rows by the name of their data. */
  set(signals, rows = {}) {
    Object.assign(this.signals, signals);
    Object.assign(this.rows, rows);
    if (!this.view) return;
    for (const [name, value] of Object.entries(signals)) this.view.signal(name, value);
    for (const [name, values] of Object.entries(rows)) this.view.data(name, values.map((row) => ({ ...row })));
    this.view.runAsync();
  }

  /** Return how many pixels from the element's left edge a frame or step stands. */
  x(value) {
    return this.view.padding().left + this.view.scale("x")(value);
  }

  /** Return how many pixels below the element's upper edge a value stands. */
  y(value) {
    return this.view.padding().top + this.view.scale("y")(value);
  }

  /** Return which of some frames or steps is nearest to the pointer; null before anything is drawn. */
  nearest(event, values) {
    if (!this.view || !values.length) return null;
    const at = this.view.scale("x").invert(event.clientX - this.ground.getBoundingClientRect().left - this.view.padding().left);
    return values.reduce((best, value) => (Math.abs(value - at) < Math.abs(best - at) ? value : best));
  }
}

/** Put a box with values beside a place, inside its plot. */
function putBeside(tip, x) {
  tip.hidden = false;
  const room = tip.parentElement.clientWidth - tip.offsetWidth - 4;
  tip.style.left = `${Math.max(4, Math.min(room, x + 12 > room ? x - tip.offsetWidth - 12 : x + 12))}px`;
}

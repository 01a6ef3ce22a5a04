// Zoom and pan, shared by all pictures. The place is kept in shares of a picture, so that two of different sizes show
// the same part. A wheel zooms once a picture has been clicked, so that the page can be scrolled past it.

const FARTHEST = 16;

class Zoom {
  constructor(stage, { onChange }) {
    Object.assign(this, { stage, onChange, scale: 1, x: 0, y: 0, fingers: new Map() });
    for (const picture of stage.querySelectorAll(".picture")) {
      picture.addEventListener("wheel", (event) => this.wheel(event, picture), { passive: false });
      picture.addEventListener("pointerdown", (event) => this.down(event, picture));
      picture.addEventListener("pointermove", (event) => this.move(event, picture));
      for (const end of ["pointerup", "pointercancel"]) picture.addEventListener(end, (event) => this.fingers.delete(event.pointerId));
      picture.addEventListener("dblclick", () => this.set(1, 0, 0));
    }
  }

  /** Show a part: the scale, and the upper left corner in shares of the picture. */
  set(scale, x, y) {
    this.scale = Math.min(FARTHEST, Math.max(1, scale || 1));
    const most = 1 - 1 / this.scale;
    this.x = Math.min(most, Math.max(0, x || 0));
    this.y = Math.min(most, Math.max(0, y || 0));
    this.stage.style.setProperty("--zoom", this.scale);
    this.stage.style.setProperty("--x", `${-100 * this.x * this.scale}%`);
    this.stage.style.setProperty("--y", `${-100 * this.y * this.scale}%`);
    this.stage.classList.toggle("zoomed", this.scale > 1);
    this.stage.classList.toggle("near", this.scale >= 3);
    this.onChange(this);
  }

  /** Zoom by a factor about a point that stays where it is, in shares of what is seen. */
  by(factor, across = 0.5, down = 0.5) {
    const scale = Math.min(FARTHEST, Math.max(1, this.scale * factor));
    this.set(scale, this.x + across / this.scale - across / scale, this.y + down / this.scale - down / scale);
  }

  /** Move what is seen, in shares of what is seen. */
  pan(across, down) {
    this.set(this.scale, this.x + across / this.scale, this.y + down / this.scale);
  }

  wheel(event, picture) {
    if (!event.ctrlKey && !picture.contains(document.activeElement) && this.scale === 1) return;
    event.preventDefault();
    this.by(Math.exp(-event.deltaY / (event.ctrlKey ? 100 : 400)), ...this.place(event, picture));
  }

  place(event, picture) {
    const box = picture.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  }

  down(event, picture) {
    this.fingers.set(event.pointerId, this.place(event, picture));
    if (this.scale > 1 || this.fingers.size > 1) picture.setPointerCapture(event.pointerId);
  }

  /** One finger or a pressed mouse pans; two fingers zoom about the point between them. */
  move(event, picture) {
    if (!this.fingers.has(event.pointerId) || !event.buttons) return;
    const [before, now] = [this.fingers.get(event.pointerId), this.place(event, picture)];
    const other = [...this.fingers].find(([id]) => id !== event.pointerId)?.[1];
    this.fingers.set(event.pointerId, now);
    if (other) {
      const away = ([x, y]) => Math.hypot(x - other[0], y - other[1]);
      this.by(away(now) / (away(before) || 1), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
    }
    const part = other ? 0.5 : 1; // of two fingers each moves the middle by half
    const slides = this.stage.dataset.view === "slider" && event.pointerType !== "mouse" && !other;
    if (!slides) this.pan(part * (before[0] - now[0]), part * (before[1] - now[1]));
  }
}

// One clip as pictures by number. The video never plays: it is sought to the middle of a frame, where rounding cannot
// tip it into a neighbour. Where all frames are key frames a seek decodes exactly one; in shrunk previews a few more.

const KEPT_BYTES = 128 * 2 ** 20; // of decoded frames that a clip keeps: a loop is quick from its second turn on
const PAINT_GRACE = 250; // ms to wait for a painted frame after a seek that may have changed nothing

class Frames {
  /** Args: the address of the video, what is known of the clip, and how many bytes of decoded frames may be kept. */
  constructor(url, clip, room = KEPT_BYTES) {
    Object.assign(this, { clip, room, number: null, picture: null, kept: new Map(), video: document.createElement("video") });
    Object.assign(this.video, { muted: true, playsInline: true, preload: "auto", src: url });
    this.ready = new Promise((resolve) => this.video.addEventListener("loadeddata", resolve, { once: true }));
    this.ended = new Promise((resolve, reject) => {
      this.release = resolve; // a disposed video never says "seeked"
      this.video.addEventListener("error", () => reject(this.video.error), { once: true });
    });
    this.ended.catch(() => {}); // reported to whoever awaits show()
  }

  /** Bring frame n up; when this resolves, drawing draws frame n. */
  async show(n) {
    await Promise.race([this.ready, this.ended]);
    if (n === this.number) return;
    this.picture = this.kept.get(n) ?? (await this.decode(n));
    this.number = n;
  }

  async decode(n) {
    const middle = (n + 0.5) / this.clip.fps;
    const sought = new Promise((resolve) => this.video.addEventListener("seeked", resolve, { once: true }));
    const painted = framePainted(this.video, middle, 0.5 / this.clip.fps);
    this.video.currentTime = middle;
    await Promise.race([sought, this.ended]);
    await Promise.race([painted, this.ended, delay(PAINT_GRACE)]);
    return this.keep(n);
  }

  /** Keep a copy of the picture that the video shows, while there is room. */
  async keep(n) {
    if ((this.kept.size + 1) * this.clip.seenWidth * this.clip.seenHeight * 4 > this.room) return this.video;
    try {
      const picture = await createImageBitmap(this.video);
      this.kept.set(n, picture);
      return picture;
    } catch {
      return this.video;
    }
  }

  /** Draw the shown frame in its own size. */
  drawOn(canvas) {
    const { width, height } = this.clip;
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    this.drawInto(canvas);
  }

  /** Draw the shown frame over a whole canvas; the padding of odd sizes is left out. */
  drawInto(canvas) {
    const { seenWidth, seenHeight } = this.clip;
    canvas.getContext("2d").drawImage(this.picture, 0, 0, seenWidth, seenHeight, 0, 0, canvas.width, canvas.height);
  }

  dispose() {
    this.release();
    for (const picture of this.kept.values()) picture.close();
    this.kept.clear();
    this.video.removeAttribute("src");
    this.video.load();
  }
}

/** Pictures that stand beside each other, all of them in one sheet, one below the other. */
class Stills {
  constructor(sheet, clip) {
    Object.assign(this, { clip, number: null, picture: null });
    this.sheet = createImageBitmap(sheet, { colorSpaceConversion: "none" });
    this.sheet.catch(() => {}); // reported to whoever awaits show()
  }

  async show(n) {
    this.picture = await this.sheet;
    this.number = n;
  }

  drawOn(canvas) {
    const { width, height } = this.clip;
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    this.drawInto(canvas);
  }

  drawInto(canvas) {
    const { seenWidth, seenHeight } = this.clip;
    const context = canvas.getContext("2d");
    context.drawImage(this.picture, 0, this.number * seenHeight, seenWidth, seenHeight, 0, 0, canvas.width, canvas.height);
  }

  dispose() {
    this.sheet.then((sheet) => sheet.close(), () => {});
  }
}

/** Return the frames of a clip, be it a video or pictures. */
function framesOf(clip, room) {
  return clip.still ? new Stills(clip.url, clip) : new Frames(clip.url, clip, room);
}

/** Resolve when the browser reports a picture whose time lies within half a frame of the wanted one. */
function framePainted(video, time, tolerance) {
  if (!video.requestVideoFrameCallback) return Promise.resolve();
  return new Promise((resolve) => {
    const look = (_, { mediaTime }) => {
      if (Math.abs(mediaTime - time) <= tolerance * 1.02) resolve();
      else video.requestVideoFrameCallback(look);
    };
    video.requestVideoFrameCallback(look);
  });
}

function delay(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Turn base64 into an address that the browser can seek in without decoding the text again. */
function videoAddress(base64) {
  return URL.createObjectURL(new Blob([bytesOf(base64)], { type: "video/mp4" }));
}

function bytesOf(base64) {
  return Uint8Array.fromBase64?.(base64) ?? Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

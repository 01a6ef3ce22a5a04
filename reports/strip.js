// The filmstrip: a few frames of both clips in order of time, always with the worst and the first divergent one.
// It has decoders of its own and fills itself once the stage stands still, so that the players never wait for it.

const THUMB_WIDTH = 120;
const THUMBS = 10;

class Strip {
  constructor(list, { onSeek }) {
    Object.assign(this, { list, onSeek, turn: 0 });
  }

  /** Show two clips: the pairs, and the marks as a map from position to words. */
  async show(clips, pairs, marks) {
    const turn = (this.turn += 1);
    const chosen = chosenPositions(pairs.length, [...marks.keys()]);
    const items = chosen.map((position) => this.item(position, pairs[position], marks.get(position)));
    this.list.replaceChildren(...items);
    this.mark(this.at);
    const frames = clips.map((clip) => clip && framesOf(clip));
    for (const [n, position] of chosen.entries()) {
      for (const [side, decoder] of frames.entries()) {
        if (turn === this.turn && decoder) await this.draw(items[n].querySelectorAll("canvas")[side], decoder, pairs[position][side]);
      }
    }
    for (const decoder of frames) decoder?.dispose();
    if (turn === this.turn) this.list.dataset.filled = "true";
  }

  async draw(canvas, decoder, number) {
    try {
      await decoder.show(Math.min(number, decoder.clip.frames - 1));
    } catch {
      return; // the pane above says that it cannot be decoded
    }
    const { width, height } = decoder.clip;
    Object.assign(canvas, { width: THUMB_WIDTH, height: Math.round((THUMB_WIDTH * height) / width) });
    decoder.drawInto(canvas);
  }

  item(position, [, , frame], words) {
    const [item, button, text] = ["li", "button", "span"].map((kind) => document.createElement(kind));
    Object.assign(button, { type: "button", className: words ? "thumb marked" : "thumb" });
    button.dataset.position = position;
    text.textContent = words ? `${frame} ${words}` : frame;
    button.append(document.createElement("canvas"), document.createElement("canvas"), text);
    button.setAttribute("aria-label", this.list.dataset.frame.replace("{frame}", () => text.textContent));
    button.addEventListener("click", () => this.onSeek(position));
    item.append(button);
    return item;
  }

  /** Mark the frame that is on the stage. */
  mark(position) {
    this.at = position;
    for (const button of this.list.querySelectorAll("button")) {
      if (Number(button.dataset.position) === position) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
    }
  }
}

/** Return the wanted positions and evenly spread others, in order. */
function chosenPositions(length, wanted) {
  const found = new Set(wanted.filter((position) => position >= 0 && position < length));
  for (let n = 0; n < THUMBS && found.size < Math.min(length, THUMBS); n += 1) found.add(Math.round((n * (length - 1)) / (THUMBS - 1)));
  return [...found].sort((a, b) => a - b);
}

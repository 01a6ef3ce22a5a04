// The way to the sections: a bar that stays, which marks the one in view, and links on a variant, which lead to the player.

/** Mark the section that is read: the last one that begins in the upper third of the window. */
function wireSections() {
  const links = all("#sections a");
  const places = links.map((link) => one(link.getAttribute("href")));
  let current = null;
  const mark = () => {
    const line = innerHeight / 3;
    const atEnd = scrollY + innerHeight >= document.documentElement.scrollHeight - 2;
    const begun = places.findLastIndex((place) => (place.id === "top" || seen(place)) && (atEnd || place.getBoundingClientRect().top <= line));
    if (links[begun] === current) return;
    current?.removeAttribute("aria-current");
    current = links[begun] ?? null;
    current?.setAttribute("aria-current", "true");
    if (current) current.parentElement.scrollLeft = current.offsetLeft - 40; // of the bar alone: the page stays
  };
  addEventListener("scroll", mark, { passive: true });
  addEventListener("resize", mark);
  mark();
}

/** Tell whether a place is on the page: what belongs to another prompt or variant is hidden. */
function seen(place) {
  return place.getClientRects().length > 0;
}

/** Have every link on a variant choose it and bring the player into view, also when the address has it already. */
function wireVariantLinks() {
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.('a[href^="#"][href*="variant="]');
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (link.hash === location.hash) followAddress();
    showPlayer();
  });
}

function showPlayer() {
  const stage = one(".stage");
  if (!wholly(stage)) stage.scrollIntoView({ block: "start" });
}

function wholly(element) {
  const { top, bottom } = element.getBoundingClientRect();
  return top >= 0 && bottom <= innerHeight;
}

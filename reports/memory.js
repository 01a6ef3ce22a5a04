// What a reader prefers on every page: the way of looking, light or dark, keys on or off. A page that was opened from a
// chat or in a sandbox may have no storage, or may not be allowed to ask for it; then nothing is kept.

/** Return what was kept under a name; null where nothing was, or where there is no storage. */
function recalled(name) {
  try {
    return localStorage.getItem(`spacediff.${name}`);
  } catch {
    return null;
  }
}

function keep(name, value) {
  try {
    localStorage.setItem(`spacediff.${name}`, value);
  } catch {} // the choice holds for this page
}

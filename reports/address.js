// The address holds what is shown, so that a link into a bug report opens at the same frame:
// #prompt=lemon&variant=dpm&frame=17&metric=psnr&mode=slider&share=30&zoom=4,0.2,0.5

let knownHash = location.hash; // as it was last read or written here

/** Return what the address asks for; a plain section link (#warnings) asks for nothing. */
function readAddress() {
  knownHash = location.hash;
  const hash = location.hash.slice(1);
  return hash.includes("=") ? Object.fromEntries(new URLSearchParams(hash)) : {};
}

/** Write what is shown into the address, unless a new one has been entered that is not followed yet. */
function writeAddress(wanted) {
  if (location.hash !== knownHash) return;
  const hash = `#${new URLSearchParams(wanted)}`;
  try {
    if (hash !== location.hash) history.replaceState(null, "", hash);
  } catch {} // a page in a sandbox has no address of its own
  knownHash = location.hash;
}

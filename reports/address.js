// The address holds what is shown, so that a link into a bug report opens at the same frame:
// #prompt=lemon&variant=dpm&frame=17&metric=psnr

/** Return what the address asks for; a plain section link (#warnings) asks for nothing. */
function readAddress() {
  const hash = location.hash.slice(1);
  return hash.includes("=") ? Object.fromEntries(new URLSearchParams(hash)) : {};
}

function writeAddress(wanted) {
  const hash = `#${new URLSearchParams(wanted)}`;
  if (hash !== location.hash) history.replaceState(null, "", hash);
}

// What buttons copy: the command that repeats the audit, the Markdown for an issue that came with the page, and the
// address of what is shown.

function wireCopying() {
  wireCopy("#copy", () => one("#command").textContent);
  if (player) wireCopy("#copy-link", linkToState);
  wireCopy("#copy-for-issue", () => JSON.parse(one("#issue-text").textContent));
}

/** Return the address of what is shown: of a page on a disk it works on that machine; a sandbox has none but the state. */
function linkToState() {
  writeState();
  const { protocol, href, hash } = location;
  return ["http:", "https:", "file:"].includes(protocol) ? href : hash;
}

function wireCopy(name, text) {
  const [before, after] = all(`${name} span`);
  one(name).addEventListener("click", async () => {
    await copyText(text());
    [before.hidden, after.hidden] = [true, false];
    await delay(1600);
    [before.hidden, after.hidden] = [false, true];
  });
}

/** Copy by the clipboard, or as a selection would be where a page opened from a file may not use it. */
async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const answer = (event) => {
      event.clipboardData.setData("text/plain", text);
      event.preventDefault();
    };
    document.addEventListener("copy", answer, { once: true });
    document.execCommand("copy");
    document.removeEventListener("copy", answer);
  }
}

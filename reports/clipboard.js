// What buttons copy: the command that repeats the audit, the Markdown for an issue that came with the page, and the
// address of what is shown.

function wireCopying() {
  wireCopy("#copy", () => one("#command").textContent);
  if (player) wireCopy("#copy-link", linkToState);
  wireCopy("#copy-for-issue", () => JSON.parse(one("#issue-text").textContent));
}

/** Return the address of what is shown; of a page on a disk without its folders, which name their owner. */
function linkToState() {
  writeState();
  const { protocol, href, pathname, hash } = location;
  return protocol.startsWith("http") ? href : `${pathname.split("/").pop()}${hash}`;
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

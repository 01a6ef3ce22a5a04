// What buttons copy: the command that repeats the audit, and the Markdown for an issue that came with the page.

function wireCopying() {
  wireCopy("#copy", () => one("#command").textContent);
  wireCopy("#copy-for-issue", () => JSON.parse(one("#issue-text").textContent));
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

// "Copy for issue": puts the Markdown that came with the page onto the clipboard.

function wireIssue() {
  const button = document.querySelector("#copy-for-issue");
  const [before, after] = button.querySelectorAll("span");
  const text = JSON.parse(document.querySelector("#issue-text").textContent);
  button.addEventListener("click", async () => {
    await putOnClipboard(text);
    [before.hidden, after.hidden] = [true, false];
    await new Promise((done) => setTimeout(done, 1600));
    [before.hidden, after.hidden] = [false, true];
  });
}

/** Copy by the clipboard, or as a selection would be where a page opened from a file may not use it. */
async function putOnClipboard(text) {
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

wireIssue();

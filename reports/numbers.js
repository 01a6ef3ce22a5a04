// The curve as a table, built when it is opened: long clips would otherwise weigh the page down.

/** Fill a table with one row per frame and one column per curve. */
function fillNumbers(table, curves) {
  const [head, body] = [table.tHead.rows[0], table.tBodies[0]];
  while (head.cells.length > 1) head.lastElementChild.remove();
  for (const line of curves) head.append(cell("th", line.name, line.selected, "col"));
  const shown = curves.map((line) => new Map(line.frames.map((frame, n) => [frame, line.curve.shown[n]])));
  const frames = [...new Set(curves.flatMap((line) => line.frames))].sort((a, b) => a - b);
  body.replaceChildren(...frames.map((frame) => row(frame, shown, curves)));
}

function row(frame, shown, curves) {
  const element = document.createElement("tr");
  element.append(cell("th", frame, false, "row"));
  for (const [n, texts] of shown.entries()) element.append(cell("td", texts.get(frame) ?? "–", curves[n].selected));
  return element;
}

function cell(kind, text, selected, scope) {
  const element = document.createElement(kind);
  element.textContent = text;
  element.className = selected ? "number selected" : "number";
  if (scope) element.scope = scope;
  return element;
}

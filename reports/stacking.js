// Tables on a narrow screen: each cell says which column it is of, so that the style can show a row as a block.

/** Write the names of the columns into the cells of tables that stack; without this they scroll. */
function labelCells(tables) {
  for (const table of tables) {
    const names = [...(table.tHead?.rows[0].cells ?? [])].map((cell) => cell.textContent.trim());
    if (!names.length) continue;
    table.classList.add("stacked");
    for (const row of [...table.tBodies].flatMap((body) => [...body.rows])) {
      for (const cell of row.cells) {
        if (cell.tagName === "TD" && cell.colSpan === 1) cell.dataset.label = names[cell.cellIndex];
        if (["–", "—", ""].includes(cell.textContent.trim()) && !cell.querySelector("svg")) cell.classList.add("nothing");
      }
    }
  }
}

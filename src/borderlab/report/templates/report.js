"use strict";

// The page works without this script; it adds sorting, filtering, copying and the distance slider.

const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

function say(text) {
  document.getElementById("status").textContent = text;
}

function compareCells(left, right, numeric) {
  if (left === "" || right === "") return (left === "") - (right === "");
  return numeric ? Number(left) - Number(right) : collator.compare(left, right);
}

function sortTable(header) {
  const table = header.closest("table");
  const place = header.cellIndex;
  const numeric = header.classList.contains("number");
  const descending = header.getAttribute("aria-sort") === "ascending";
  const rows = [...table.tBodies[0].rows];
  const key = (row) => row.cells[place].dataset.sort;
  rows.sort((one, other) => {
    const order = compareCells(key(one), key(other), numeric);
    // Empty cells stay last in either direction.
    return descending && key(one) !== "" && key(other) !== "" ? -order : order;
  });
  table.tBodies[0].append(...rows);
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", descending ? "descending" : "ascending");
}

function filterTable(input) {
  const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
  const rows = [...document.querySelectorAll(`#${input.dataset.filter} tbody tr`)];
  let shown = 0;
  for (const row of rows) {
    const text = row.textContent.toLowerCase();
    row.hidden = !words.every((word) => text.includes(word));
    shown += row.hidden ? 0 : 1;
  }
  const count = document.querySelector(`[data-count="${input.dataset.filter}"]`);
  count.textContent = words.length ? `${shown} of ${rows.length} rows` : `${rows.length} rows`;
}

function copyBySelection(text) {
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "visually-hidden";
  document.body.append(area);
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  return copied;
}

async function copyText(text) {
  // A page from disk may not be allowed to use the clipboard directly.
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text);
  }
}

async function copyFrom(button) {
  const label = button.textContent;
  const copied = await copyText(button.dataset.copy);
  button.textContent = copied ? "Copied" : "Copy failed";
  say(copied ? "Command copied" : "The browser did not allow copying");
  button.focus();
  setTimeout(() => { button.textContent = label; }, 1500);
}

function startViewer(viewer, pictures) {
  const part = (role) => viewer.querySelector(`[data-role="${role}"]`);
  const frames = JSON.parse(viewer.dataset.viewer);
  const range = part("distance");
  const distances = JSON.parse(range.dataset.distances);
  const show = () => {
    const distance = distances[Number(range.value)];
    const text = `${distance > 0 ? "+" : "−"}${Math.abs(distance)}`;
    part("shown").textContent = text;
    range.setAttribute("aria-valuetext", `${text} frames`);
    const found = frames[part("motion").value][String(distance)];
    viewer.classList.toggle("is-missing", !found);
    for (const role of ["frame", "moved_frame", "label", "moved_label"]) {
      if (found) part(role).src = pictures[found[role]];
    }
  };
  range.value = String(Math.max(0, distances.indexOf(1)));
  range.addEventListener("input", show);
  part("motion").addEventListener("change", show);
  show();
}

for (const button of document.querySelectorAll("button.sort")) {
  button.addEventListener("click", () => sortTable(button.closest("th")));
}
for (const input of document.querySelectorAll("input[data-filter]")) {
  input.addEventListener("input", () => filterTable(input));
}
for (const button of document.querySelectorAll("button.copy")) {
  button.addEventListener("click", () => copyFrom(button));
}
const pictures = JSON.parse(document.getElementById("pictures").textContent);
for (const viewer of document.querySelectorAll(".viewer")) startViewer(viewer, pictures);

"use strict";

// The page works without this script; it adds sorting, filtering, copying and the sliders over distance.

const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

function say(text) {
  document.getElementById("status").textContent = text;
}

function compareCells(left, right, numeric) {
  if (left === "" || right === "") return (left === "") - (right === "");
  if (!numeric) return collator.compare(left, right);
  const texts = [left, right].map((text) => Number.isNaN(Number(text)));
  // Texts among numbers come after them.
  if (texts[0] || texts[1]) return texts[0] - texts[1] || collator.compare(left, right);
  return Number(left) - Number(right);
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
  button.dataset.label ??= button.textContent;
  const copied = await copyText(button.dataset.copy);
  button.textContent = copied ? "Copied" : "Copy failed";
  say(copied ? "Command copied" : "The browser did not allow copying");
  button.focus();
  setTimeout(() => { button.textContent = button.dataset.label; }, 1500);
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
  range.value = range.defaultValue;
  range.addEventListener("input", show);
  part("motion").addEventListener("change", show);
  show();
}

function loaded(source) {
  return new Promise((resolve) => {
    const image = new Image();
    image.onload = () => resolve(image);
    image.src = source;
  });
}

function pixelsOf(image) {
  const canvas = document.createElement("canvas");
  canvas.width = image.naturalWidth;
  canvas.height = image.naturalHeight;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(image, 0, 0);
  return { canvas, context, data: context.getImageData(0, 0, canvas.width, canvas.height) };
}

// The error picture with everything beyond the reach made pale.
function paled(image, distances, reach) {
  const { canvas, context, data } = pixelsOf(image);
  for (let place = 0; place < data.data.length; place += 4) {
    if (distances[place] >= reach) data.data[place + 3] = 40;
  }
  context.putImageData(data, 0, 0);
  return canvas.toDataURL();
}

function startBorders(figure) {
  const range = figure.querySelector('[data-role="reach"]');
  const reaches = JSON.parse(range.dataset.reaches);
  const pictures = [...figure.querySelectorAll('[data-role="error"]')];
  const sources = pictures.map((picture) => picture.src);
  const shares = [...figure.querySelectorAll("[data-shares]")];
  let distances, images;
  const show = async () => {
    const place = Number(range.value);
    const reach = reaches[place];
    const text = reach === undefined ? "any distance" : `${reach} px`;
    figure.querySelector('[data-role="shown"]').textContent = text;
    range.setAttribute("aria-valuetext", text);
    for (const share of shares) share.textContent = JSON.parse(share.dataset.shares)[place];
    images ??= Promise.all(sources.map(loaded));
    distances ??= loaded(range.dataset.distance).then((image) => pixelsOf(image).data.data);
    const [found, far] = [await images, await distances];
    if (Number(range.value) !== place) return;
    pictures.forEach((picture, index) => {
      picture.src = reach === undefined ? sources[index] : paled(found[index], far, reach);
    });
  };
  range.value = String(reaches.length);
  range.addEventListener("input", show);
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
for (const figure of document.querySelectorAll(".bordered")) startBorders(figure);

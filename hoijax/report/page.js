"use strict";
// The slider over the photograph.
const compare = document.querySelector(".compare");
const cut = compare.querySelector("input");
const moveCut = () => compare.style.setProperty("--cut", cut.value + "%");
cut.addEventListener("input", moveCut);
moveCut();
for (const radio of document.querySelectorAll("input[name=under]")) {
  radio.addEventListener("change", () => {
    for (const image of compare.querySelectorAll(".under img")) {
      image.classList.toggle("on", image.dataset.name === radio.value);
    }
    compare.querySelector(".corner.left").textContent = radio.parentElement.textContent.trim();
  });
}

// The scene that turns.
const plot = document.querySelector("#scene .plotly-graph-div");
const colors = JSON.parse(document.getElementById("colors").textContent);
for (const box of document.querySelectorAll("input[name=trace]")) {
  box.addEventListener("change", () => Plotly.restyle(plot, { visible: box.checked }, [Number(box.value)]));
}
for (const radio of document.querySelectorAll("input[name=coloring]")) {
  radio.addEventListener("change", () => {
    Plotly.restyle(plot, { vertexcolor: colors[radio.value] || [null, null] }, [0, 1]);
  });
}
const button = document.getElementById("turn");
let last = null;
function turn(now) {
  if (button.getAttribute("aria-pressed") !== "true") return;
  const angle = last === null ? 0 : (now - last) / 3000;
  last = now;
  const camera = plot._fullLayout.scene._scene.getCamera();
  const { x, z } = camera.eye;
  camera.eye.x = x * Math.cos(angle) - z * Math.sin(angle);
  camera.eye.z = x * Math.sin(angle) + z * Math.cos(angle);
  Plotly.relayout(plot, { "scene.camera": camera }).then(() => requestAnimationFrame(turn));
}
button.addEventListener("click", () => {
  const on = button.getAttribute("aria-pressed") !== "true";
  button.setAttribute("aria-pressed", String(on));
  button.textContent = on ? "Stop" : "Turn";
  last = null;
  if (on) requestAnimationFrame(turn);
});

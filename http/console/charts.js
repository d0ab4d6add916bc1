// Lines over time, drawn by Chart.js (a global: `chart.min.js` is no module). A canvas says nothing to a screen reader, so
// each stands in a figure whose caption has the numbers.

import {h, set_attribute, set_text} from "./dom.js";
import {duration} from "./format.js";

const least_minutes = 1; // an actor that is younger has its few points at the right
const axis_width = 52; // the same for all, so that one moment is one place in charts below each other

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const dark = matchMedia("(prefers-color-scheme: dark)");

const ago = (minutes) => (minutes === 0 ? "now" : `−${duration(-minutes * 60000)}`);

/** Of `show({values, step_ms, text})`: the newest value is the last one; null leaves a gap. */
export const line_chart = (title, format) => {
  const canvas = h("canvas", {role: "img", "aria-label": title});
  const now = h("b");
  const most = h("span", {class: "hint"});
  const root = h(
    "figure",
    {class: "chart"},
    h("figcaption", null, title, " ", now, " ", most),
    h("div", {class: "canvas"}, canvas),
  );
  let chart = null;

  const colours = () => {
    const {x, y} = chart.options.scales;
    chart.data.datasets[0].borderColor = colour("--accent");
    chart.data.datasets[0].backgroundColor = colour("--accent-faint");
    for (const axis of [x, y])
      [axis.ticks.color, axis.grid.color, axis.grid.borderColor] = [
        colour("--muted"),
        colour("--line"),
        colour("--line"),
      ];
    chart.update("none");
  };
  const make = () => {
    chart = new Chart(canvas, {
      type: "line",
      data: {datasets: [{data: [], fill: true, borderWidth: 1.5, pointRadius: 0, tension: 0}]},
      options: {
        animation: false,
        responsive: true,
        maintainAspectRatio: false,
        parsing: false,
        normalized: true,
        interaction: {mode: "index", intersect: false},
        plugins: {
          legend: {display: false},
          tooltip: {
            displayColors: false,
            callbacks: {title: ([item]) => ago(item.parsed.x), label: (item) => format(item.parsed.y)},
          },
        },
        scales: {
          x: {
            type: "linear",

            max: 0,
            ticks: {maxTicksLimit: 6, maxRotation: 0, callback: ago},
            grid: {display: false},
          },
          y: {
            beginAtZero: true,
            afterFit: (axis) => (axis.width = axis_width),
            ticks: {maxTicksLimit: 4, callback: (value) => format(value)},
            grid: {},
          },
        },
      },
    });
    colours();
    dark.addEventListener("change", colours);
  };
  const show = ({values, step_ms}) => {
    if (chart === null) make();
    const known = values.filter((value) => value !== null);
    const minutes = step_ms / 60000;
    chart.options.scales.x.min = -Math.max(least_minutes, values.length * minutes);
    chart.data.datasets[0].data = values.map((y, i) => ({x: (i + 1 - values.length) * minutes, y}));
    chart.update("none");
    set_text(now, known.length === 0 ? "not measured" : format(values.at(-1) ?? known.at(-1)));
    set_text(
      most,
      known.length === 0 ? "" : `at most ${format(Math.max(...known))} in ${duration(values.length * step_ms)}`,
    );
    set_attribute(canvas, "aria-label", `${title}: ${now.textContent}, ${most.textContent}`);
  };
  const close = () => {
    dark.removeEventListener("change", colours);
    chart?.destroy();
  };
  return {root, show, close};
};

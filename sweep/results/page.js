// Draws each figure of the page in the colours of its style sheet, and again when these change.

const figures = JSON.parse(document.getElementById("figures").textContent);
const narrow = window.matchMedia("(max-width: 40rem)");
const dark = window.matchMedia("(prefers-color-scheme: dark)");

function colours() {
  const style = getComputedStyle(document.documentElement);
  const named = (name) => style.getPropertyValue(name).trim();
  return { ground: "rgba(0, 0, 0, 0)", ink: named("--ink"), muted: named("--muted"), card: named("--card") };
}

function themed(layout) {
  const { ground, ink, muted, card } = colours();
  const axis = (given) => ({ ...given, color: muted });
  const label = (given) => ({ ...given, font: { ...given.font, color: ink }, bgcolor: card });
  return {
    ...layout,
    autosize: true,
    paper_bgcolor: ground,
    plot_bgcolor: ground,
    font: { ...layout.font, color: ink, family: "inherit", size: narrow.matches ? 12 : 13 },
    xaxis: axis(layout.xaxis),
    yaxis: axis(layout.yaxis),
    annotations: (layout.annotations || []).map(label),
  };
}

function draw() {
  for (const place of document.querySelectorAll("[data-figure]")) {
    const { data, layout } = figures[place.dataset.figure];
    const config = { displaylogo: false, responsive: true, displayModeBar: narrow.matches ? false : "hover" };
    Plotly.react(place, data, themed(layout), config);
  }
}

draw();
dark.addEventListener("change", draw);
narrow.addEventListener("change", draw);

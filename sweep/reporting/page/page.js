// Draws each figure of the page when it comes near the window, in the colours of the style sheet,
// and again when these change. Everything is drawn before printing.

const figures = JSON.parse(document.getElementById("figures").textContent);
const places = [...document.querySelectorAll("[data-figure]")];
const narrow = window.matchMedia("(max-width: 40rem)");
const dark = window.matchMedia("(prefers-color-scheme: dark)");

function colours() {
  const style = getComputedStyle(document.documentElement);
  const named = (name) => style.getPropertyValue(name).trim();
  return { ground: "rgba(0, 0, 0, 0)", ink: named("--ink"), muted: named("--muted"), card: named("--card") };
}

// On a narrow screen a long title of an upright axis takes two lines, so that its ends are not cut off.
const longest = 32;

function titled(name, axis) {
  const text = axis.title?.text;
  if (!narrow.matches || !name.startsWith("y") || !text || text.length <= longest) return axis;
  const cut = text.lastIndexOf(" ", longest);
  if (cut < 1) return axis;
  return { ...axis, title: { ...axis.title, text: `${text.slice(0, cut)}<br>${text.slice(cut + 1)}` } };
}

function themed({ height, ...layout }) {
  const { ground, ink, muted, card } = colours();
  const axes = Object.entries(layout).filter(([name]) => /^[xy]axis\d*$/.test(name));
  const family = getComputedStyle(document.body).fontFamily;
  const room = narrow.matches ? 4 : 10;
  const margin = Object.fromEntries(Object.entries(layout.margin).map(([side, size]) => [side, size + room]));
  const label = (given) => ({ ...given, font: { color: ink, ...given.font }, bgcolor: card });
  return {
    ...layout,
    ...Object.fromEntries(axes.map(([name, axis]) => [name, { ...titled(name, axis), color: muted }])),
    autosize: true,
    margin,
    dragmode: narrow.matches ? false : "zoom",
    paper_bgcolor: ground,
    plot_bgcolor: ground,
    font: { ...layout.font, color: ink, family, size: narrow.matches ? 11 : 12 },
    modebar: { bgcolor: ground, color: muted, activecolor: ink },
    hoverlabel: { bgcolor: ink, bordercolor: ink, font: { color: card, family, size: 13 } },
    annotations: (layout.annotations || []).map(label),
  };
}

// Figures are made in the colours for a light ground; a dark one takes lighter shades of the same.
const shades = { "#0072B2": "--blue", "#D55E00": "--accent", "#009E73": "--green", "#B8578E": "--purple" };

function shaded(figure) {
  const style = getComputedStyle(document.documentElement);
  const text = JSON.stringify(figure).replace(/#[0-9A-F]{6}/g, (colour) =>
    colour in shades ? style.getPropertyValue(shades[colour]).trim() : colour,
  );
  return JSON.parse(text);
}

// A window that is being made or hidden may be a pixel wide for a moment, which no figure fits.
const smallest = 120;

function draw(place) {
  if (place.clientWidth < smallest) return;
  const { data, layout } = shaded(figures[place.dataset.figure]);
  const config = {
    displaylogo: false,
    displayModeBar: narrow.matches ? false : "hover",
    modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"],
  };
  Plotly.react(place, data, themed(layout), config);
  place.dataset.drawn = place.clientWidth;
}

const near = new IntersectionObserver(
  (entries) => {
    for (const { target } of entries.filter((entry) => entry.isIntersecting)) {
      near.unobserve(target);
      draw(target);
    }
  },
  { rootMargin: "600px" },
);

function redraw() {
  places.filter((place) => "drawn" in place.dataset).forEach(draw);
}

function drawAll() {
  near.disconnect();
  places.forEach(draw);
}

// plotly.js would do this by itself, but also for a window of no size.
function resize() {
  places.filter((place) => "drawn" in place.dataset && Number(place.dataset.drawn) !== place.clientWidth).forEach(draw);
}

// A figure has the size of its place when it is drawn, so paper's places are there before.
function drawFor(paper) {
  document.documentElement.classList.toggle("paper", paper);
  drawAll();
}

places.forEach((place) => near.observe(place));
dark.addEventListener("change", redraw);
narrow.addEventListener("change", redraw);
document.addEventListener("themechange", redraw);
window.addEventListener("resize", resize);
window.addEventListener("beforeprint", () => drawFor(true));
window.addEventListener("afterprint", () => drawFor(false));

// Sorts and filters the ranked table, and switches between light and dark.

{
  const button = document.getElementById("theme");
  const system = window.matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (document.documentElement.dataset.theme || (system.matches ? "dark" : "light")) === "dark";
  const label = () => {
    button.textContent = isDark() ? "Light" : "Dark";
    button.setAttribute("aria-label", `Switch to ${isDark() ? "light" : "dark"} colours`);
  };
  button.addEventListener("click", () => {
    document.documentElement.dataset.theme = isDark() ? "light" : "dark";
    label();
    document.dispatchEvent(new Event("themechange"));
  });
  system.addEventListener("change", label);
  label();

  let before;
  window.addEventListener("beforeprint", () => {
    before = document.documentElement.dataset.theme;
    document.documentElement.dataset.theme = "light";
  });
  window.addEventListener("afterprint", () => {
    if (before) document.documentElement.dataset.theme = before;
    else delete document.documentElement.dataset.theme;
    document.dispatchEvent(new Event("themechange"));
  });
}

const ranking = document.getElementById("ranking");

if (ranking) {
  const body = ranking.tBodies[0];
  const heads = [...ranking.tHead.rows[0].cells];
  const inSight = Number(body.dataset.inSight);
  const showAll = document.getElementById("show-all");
  const field = document.getElementById("filter");
  const status = document.getElementById("filter-status");
  let rows = [...body.rows];
  let all = false;
  let unknown = [];

  const number = (text) => Number(text.replaceAll(",", ""));
  const value = (row, column) => row.cells[column].textContent;
  const compare = { "<": (a, b) => a < b, "<=": (a, b) => a <= b, ">": (a, b) => a > b, ">=": (a, b) => a >= b };

  // A condition is NAME OPERATOR VALUE; every other word must stand somewhere in the row.
  function conditions(text) {
    const found = [];
    unknown = [];
    const words = text.replace(/([\w.-]+)\s*(<=|>=|=|<|>)\s*(\S+)/g, (_, name, operator, wanted) => {
      const column = heads.findIndex((head) => head.dataset.name === name.replaceAll(" ", "_"));
      if (column < 0) {
        found.push(() => false);
        unknown.push(name);
      } else if (operator === "=")
        found.push((row) => {
          const cell = value(row, column);
          return cell === wanted || (cell !== "" && number(cell) === number(wanted));
        });
      else found.push((row) => value(row, column) !== "" && compare[operator](number(value(row, column)), number(wanted)));
      return " ";
    });
    for (const word of words.toLowerCase().split(/\s+/).filter(Boolean)) {
      found.push((row) => row.textContent.toLowerCase().includes(word));
    }
    return found;
  }

  function show() {
    const wanted = conditions(field.value);
    let matches = 0;
    for (const row of rows) {
      const fits = wanted.every((condition) => condition(row));
      if (fits) matches += 1;
      row.hidden = !fits || (!all && matches > inSight);
    }
    const more = matches > inSight && !all;
    showAll.hidden = !more;
    showAll.textContent = `Show all ${matches.toLocaleString("en")} rows`;
    const counted = `${matches.toLocaleString("en")} of ${rows.length.toLocaleString("en")} rows`;
    const columns = heads.map((head) => head.dataset.name).join(", ");
    const problem = unknown.length ? `no column ${unknown.join(", ")}; there are ${columns}` : "";
    status.textContent = problem || (wanted.length ? counted : "");
  }

  function sort(column) {
    const head = heads[column];
    const falls = head.getAttribute("aria-sort") === "ascending";
    heads.forEach((other) => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", falls ? "descending" : "ascending");
    const text = head.classList.contains("t");
    const keyed = rows.map((row) => {
      const cell = value(row, column);
      return { row, empty: cell === "", key: text ? cell : number(cell) };
    });
    const order = (a, b) => (text ? a.localeCompare(b) : a - b);
    keyed.sort((a, b) => a.empty - b.empty || (a.empty ? 0 : (falls ? -1 : 1) * order(a.key, b.key)));
    rows = keyed.map(({ row }) => row);
    body.append(...rows);
    show();
  }

  heads.forEach((head, column) => head.firstChild.addEventListener("click", () => sort(column)));
  field.addEventListener("input", show);
  showAll.addEventListener("click", () => {
    all = true;
    show();
  });
  show();
}

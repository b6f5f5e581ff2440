"use strict";
(function () {
  const shown = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
  const zone = new Intl.DateTimeFormat().resolvedOptions().timeZone;

  // Times are written in UTC; whoever reads them with a script has them in a zone of their own.
  function localize(within) {
    for (const time of within.querySelectorAll("time[datetime*='T']:not([title])")) {
      time.title = time.textContent;
      time.textContent = shown.format(new Date(time.dateTime));
    }
    for (const told of document.querySelectorAll("[data-zone]")) told.textContent = `those of ${zone}`;
  }

  function colour(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  }

  // The table says the same; the chart is drawn of it.
  function chart(within) {
    for (const table of within.querySelectorAll("table[data-chart]")) {
      const place = document.getElementById(table.dataset.chart);
      if (!place || place.firstChild || !window.uPlot) continue;
      const rows = [...table.tBodies[0].rows].map((row) => [
        Date.parse(row.querySelector("time").dateTime) / 1000, ...[...row.querySelectorAll("td[data-value]")].map((cell) => Number(cell.dataset.value)),
      ]);
      if (rows.length < 2) continue;
      const axis = { stroke: colour("--faint"), grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line"), width: 1 } };
      const line = (label, stroke, dash) => ({ label, stroke: colour(stroke), width: 2, dash, points: { size: 4 } });
      new uPlot({
        width: Math.max(place.parentElement.clientWidth, 260), height: 240,
        series: [{}, line("least", "--good", [4, 4]), line("median", "--link"), line("most", "--doubtful", [2, 4])],
        axes: [axis, { ...axis, label: "milliseconds", stroke: colour("--faint") }],
        scales: { y: { range: (plot, least, most) => [0, Math.max(most * 1.1, 1)] } },
        legend: { live: true },
      }, rows[0].map((_, column) => rows.map((row) => row[column])), place);
    }
  }

  // A command is copied by a button beside it; without a script it is selected, as any text.
  function copying(within) {
    for (const code of navigator.clipboard ? within.querySelectorAll("pre:not([data-copied]) > code") : []) {
      const button = document.createElement("button");
      const told = document.createElement("span");
      button.type = "button";
      button.textContent = "Copy";
      button.setAttribute("aria-label", `Copy: ${code.textContent}`);
      told.setAttribute("role", "status");
      button.addEventListener("click", () => {
        navigator.clipboard.writeText(code.textContent).then(() => { told.textContent = "copied"; }, () => { told.textContent = "not copied; select it"; });
      });
      const line = document.createElement("p");
      line.className = "copies";
      line.append(button, told);
      code.parentElement.dataset.copied = "";
      code.parentElement.after(line);
    }
  }

  // What is fetched again by itself must not take away what somebody reads or stands on.
  document.addEventListener("htmx:beforeRequest", (event) => {
    const target = event.detail.elt;
    const polls = (target.getAttribute("hx-trigger") || "").startsWith("every");
    if (polls && (document.hidden || target.contains(document.activeElement) || target.querySelector("details[open]") || String(getSelection()))) {
      event.preventDefault();
    }
  });
  function finish() {
    localize(document);
    chart(document);
    copying(document);
  }
  document.addEventListener("htmx:afterSwap", finish);
  finish();
})();

// Draws the charts of a day with uPlot and ties them to the list of moments. No library but uPlot, no network.
"use strict";
(() => {
  const root = document.documentElement;
  const { days, kinds, patterns } = JSON.parse(document.getElementById("data").textContent);
  const moments = days.flatMap((day, place) => day.moments.map((moment) => ({ ...moment, day: place })));
  const from = Math.min(...days.map((day) => day.start));
  const until = Math.max(...days.map((day) => day.end));
  const GUTTER = 70; // of the vertical axis, CSS pixels: equal in all charts, so that times stand above each other
  const LANE = 15; // height of a kind of moments in their chart
  const plots = []; // { u, spec, host, values }
  const hiddenKinds = new Set();
  let view = "share"; // of the carriers' chart
  let pinned = null; // a moment, or null
  let zoomed = false;

  // ---- colours and patterns: from the style sheet, so that light, dark and paper are told in one place -------------
  const probe = document.body.appendChild(document.createElement("i"));
  probe.hidden = true;
  let colours = new Map();

  function colour(name) {
    if (!colours.has(name)) {
      probe.style.color = `var(--${name})`;
      colours.set(name, getComputedStyle(probe).color);
    }
    return colours.get(name);
  }

  function paint(u, look) {
    if (!patterns[look.pattern]) return colour(look.colour);
    const ratio = devicePixelRatio;
    const tile = document.createElement("canvas");
    tile.width = tile.height = Math.round(8 * ratio);
    const ink = tile.getContext("2d");
    ink.fillStyle = colour(look.colour);
    ink.fillRect(0, 0, tile.width, tile.height);
    ink.scale(tile.width / 8, tile.height / 8);
    ink.strokeStyle = colour("hatch");
    ink.lineWidth = 1.6;
    ink.stroke(new Path2D(patterns[look.pattern]));
    return u.ctx.createPattern(tile, "repeat");
  }

  // ---- local time, numbers ------------------------------------------------------------------------------------------
  function offsetAt(at) {
    const offsets = days[0].offsets;
    return offsets.reduce((found, [since, offset]) => (since <= at ? offset : found), offsets[0][1]);
  }

  const two = (number) => String(number).padStart(2, "0");

  function clock(at, seconds = false) {
    const local = new Date((at + offsetAt(at)) * 1000);
    const time = `${two(local.getUTCHours())}:${two(local.getUTCMinutes())}`;
    return seconds ? `${time}:${two(local.getUTCSeconds())}` : time;
  }

  const STEPS = [10, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 14400, 21600, 43200, 86400];

  function timeSplits(u, axis, low, high) {
    const room = u.bbox.width / devicePixelRatio / 62; // labels that fit
    const step = STEPS.find((one) => (high - low) / one <= room) ?? 86400;
    u.fine = step < 60;
    const splits = [];
    for (let at = Math.ceil((low + offsetAt(low)) / step) * step - offsetAt(low); at <= high; at += step) splits.push(at);
    return splits;
  }

  const plain = (places) => (value) => value.toLocaleString("en", { minimumFractionDigits: places, maximumFractionDigits: places });
  const percent = (places) => (value) => `${plain(places)(100 * value)}%`;
  const axisNumber = (value) => value.toLocaleString("en", { maximumFractionDigits: 2 });
  const axisPercent = (value) => `${axisNumber(100 * value)}%`;
  const axisSeconds = (value) => `${axisNumber(value)} s`;

  // ---- series -------------------------------------------------------------------------------------------------------
  const edges = (day) => Array.from({ length: day.lines.length + 1 }, (_, place) => day.start + place * day.interval);
  // A value holds to the end of its span: a gap begins where the first unknown one would stand.
  const stepped = uPlot.paths.stepped({ align: 1, alignGaps: 1 });

  /** The values at the edges of the spans. A stepped line needs its last known value once more, at the end of its span. */
  function atEdges(one) {
    const values = [...(one.drawn ?? one.values), null];
    const known = values.findLastIndex((value) => value !== null);
    if (one.paths === stepped && known >= 0) values[known + 1] = values[known];
    return values;
  }

  function mean(values) {
    const known = values.filter((value) => value !== null);
    return known.length ? known.reduce((sum, value) => sum + value, 0) / known.length : null;
  }

  const last = (values) => values.findLast((value) => value !== null) ?? null;

  const line = (name, values, rest, dash = []) => ({ values, rest, stroke: () => colour(name), width: 1.75, dash, paths: stepped });

  /** Areas on top of each other: the highest sum is painted first, the lower ones over it. */
  function stacked(layers, looks, rests = layers.map(mean)) {
    const sums = layers.map((_, top) => layers[0].map((_, at) => layers.slice(0, top + 1).reduce((sum, one) => sum + (one[at] ?? 0), 0)));
    const blank = (at) => layers.every((layer) => layer[at] === null);
    return layers
      .map((layer, place) => ({
        values: layer,
        drawn: sums[place].map((sum, at) => (blank(at) ? null : sum)),
        rest: rests[place],
        order: place,
        stroke: () => colour("surface"),
        width: 0.75,
        fill: (u) => paint(u, looks[place]),
        paths: stepped,
      }))
      .reverse();
  }

  // ---- the charts: what each draws of a day ---------------------------------------------------------------------------
  const CHARTS = {
    moments: () => ({ height: Object.keys(kinds).length * LANE + 16, edges: [from, until], series: [], bare: true, lanes: true }),
    agents: (day) => ({
      height: 260,
      edges: edges(day),
      series: stacked(day.agents, day.stateLooks),
      written: plain(1),
      axis: axisNumber,
    }),
    activity: (day) => ({
      height: 200,
      edges: edges(day),
      series: [line("on-call", day.lines, mean(day.lines)), line("idle", day.idle, mean(day.idle), [6, 3])],
      written: plain(1),
      axis: axisNumber,
      bare: true,
    }),
    waiting: (day) => ({
      height: 96,
      edges: edges(day),
      series: [
        { ...line("bad", day.waiting, mean(day.waiting)), width: 1, fill: (u) => paint(u, { colour: "bad", pattern: "diagonal" }) },
      ],
      written: plain(2),
      axis: axisNumber,
      least: 0.1,
    }),
    abandon: (day) => ({
      height: 210,
      edges: edges(day),
      series: [
        line("on-call", day.abandon.whole, last(day.abandon.whole)),
        line("reserved", day.abandon.hour, last(day.abandon.hour), [5, 3]),
        { ...line("bad", day.abandon.cap, last(day.abandon.cap), [2, 3]), width: 2 },
      ],
      written: percent(2),
      axis: axisPercent,
      least: 1.5 * Math.max(...day.abandon.cap),
      shaded: day.abandon.cap,
      blank: last(day.abandon.whole) === null ? "Too few live answers to draw a rate." : "",
    }),
    answers: (day) => ({
      height: 210,
      edges: day.hours.edges,
      series: day.screened
        ? [bars("machine", day.hours.answered, "diagonal", day.hours.whole[0], 1), bars("on-call", day.hours.live, "plain", day.hours.whole[1], 0)]
        : [bars("on-call", day.hours.answered, "plain", day.hours.whole[0], 0)],
      written: percent(1),
      axis: axisPercent,
      whiskers: day.hours,
      least: 1.05 * Math.max(0.01, ...day.hours.high.filter((value) => value !== null)),
    }),
    carriers: (day) => {
      const layers = day.trunks[view];
      const looks = day.trunkLooks;
      const whole = day.trunks.whole[view];
      return {
        height: 220,
        edges: day.trunks.edges,
        series: view === "share" ? stacked(layers, looks, whole) : layers.map((values, place) => line(looks[place].colour, values, whole[place], looks[place].dash)),
        written: view === "delay" ? (value) => `${plain(1)(value)} s` : percent(1),
        axis: view === "delay" ? axisSeconds : axisPercent,
        least: view === "failed" ? 0.05 : 0,
      };
    },
  };

  function bars(name, values, pattern, rest, order) {
    return {
      values,
      rest,
      order,
      stroke: () => colour(name),
      width: 0,
      fill: (u) => paint(u, { colour: name, pattern }),
      paths: barPaths,
    };
  }

  /** A bar over most of each span, however long it is. */
  function barPaths(u, index) {
    const fill = new Path2D();
    const [xs, values] = [u.data[0], u.data[index]];
    for (let at = 0; at + 1 < xs.length; at++) {
      if (values[at] === null) continue;
      const [left, right] = [xs[at], xs[at + 1]].map((edge) => u.valToPos(edge, "x", true));
      const [top, bottom] = [values[at], 0].map((value) => Math.round(u.valToPos(value, "y", true)));
      const gap = (right - left) * 0.12;
      fill.rect(Math.round(left + gap), top, Math.round(right - left - 2 * gap), bottom - top);
    }
    return { fill };
  }

  // ---- what uPlot does not draw by itself -----------------------------------------------------------------------------
  function drawn(u, spec, place) {
    const { ctx, bbox } = u;
    ctx.save();
    ctx.beginPath();
    const margin = 6 * devicePixelRatio; // a mark at the edge is shown whole
    ctx.rect(bbox.left - margin, bbox.top, bbox.width + 2 * margin, bbox.height);
    ctx.clip();
    if (spec.whiskers) drawWhiskers(u, spec.whiskers);
    if (spec.lanes) drawMoments(u, place);
    if (spec.blank) {
      ctx.font = font(13);
      ctx.fillStyle = colour("muted");
      ctx.textAlign = "center";
      ctx.fillText(spec.blank, bbox.left + bbox.width / 2, bbox.top + bbox.height * 0.8);
    }
    if (pinned) {
      const x = Math.round(u.valToPos(pinned.at, "x", true));
      ctx.fillStyle = colour("ink");
      ctx.fillRect(x - devicePixelRatio, bbox.top, 2 * devicePixelRatio, bbox.height);
    }
    ctx.restore();
    if (spec.lanes) drawLaneNames(u);
  }

  /** The part of the chart above the cap, in the colour of warning. */
  function drawShade(u, cap) {
    const { ctx, bbox } = u;
    ctx.save();
    ctx.globalAlpha = 0.09;
    ctx.fillStyle = colour("bad");
    const xs = u.data[0];
    cap.forEach((value, at) => {
      const left = Math.max(bbox.left, Math.round(u.valToPos(xs[at], "x", true)));
      const right = Math.min(bbox.left + bbox.width, Math.round(u.valToPos(xs[at + 1], "x", true)));
      if (right > left) ctx.fillRect(left, bbox.top, right - left, u.valToPos(value, "y", true) - bbox.top);
    });
    ctx.restore();
  }

  function drawWhiskers(u, hours) {
    const { ctx } = u;
    ctx.strokeStyle = colour("ink");
    ctx.lineWidth = 1.25 * devicePixelRatio;
    ctx.beginPath();
    hours.low.forEach((low, at) => {
      if (low === null) return;
      const [begin, end] = [hours.edges[at], hours.edges[at + 1]].map((edge) => u.valToPos(edge, "x", true));
      const [x, wing] = [(begin + end) / 2, Math.min(5 * devicePixelRatio, (end - begin) / 5)];
      for (const value of [low, hours.high[at]]) {
        const y = u.valToPos(value, "y", true);
        ctx.moveTo(x - wing, y);
        ctx.lineTo(x + wing, y);
      }
      ctx.moveTo(x, u.valToPos(low, "y", true));
      ctx.lineTo(x, u.valToPos(hours.high[at], "y", true));
    });
    ctx.stroke();
  }

  const lane = (kind) => Object.keys(kinds).indexOf(kind) * LANE + LANE / 2 + 3;

  function drawMoments(u, place) {
    const { ctx, bbox } = u;
    for (const moment of moments) {
      if (moment.day !== place || hiddenKinds.has(moment.kind)) continue;
      const look = kinds[moment.kind];
      ctx.save();
      ctx.translate(u.valToPos(moment.at, "x", true), bbox.top + lane(moment.kind) * devicePixelRatio);
      ctx.scale(devicePixelRatio, devicePixelRatio);
      ctx.fillStyle = ctx.strokeStyle = colour(look.colour);
      ctx.lineWidth = 2;
      ctx.fill(new Path2D(look.mark));
      ctx.stroke(new Path2D(look.mark));
      ctx.restore();
    }
  }

  function drawLaneNames(u) {
    const { ctx, bbox } = u;
    ctx.font = font(10.5);
    ctx.fillStyle = colour("muted");
    ctx.textAlign = "right";
    ctx.textBaseline = "middle";
    for (const [kind, look] of Object.entries(kinds)) {
      const room = (GUTTER - 12) * devicePixelRatio; // a long name is pressed together
      ctx.fillText(look.name, bbox.left - 11 * devicePixelRatio, bbox.top + lane(kind) * devicePixelRatio, room);
    }
  }

  const font = (size) => `${size * devicePixelRatio}px ${getComputedStyle(document.body).fontFamily}`;

  // ---- building -------------------------------------------------------------------------------------------------------
  function highest(spec) {
    const values = spec.series.flatMap((one) => (one.drawn ?? one.values).filter((value) => value !== null));
    return Math.max(spec.least ?? 0, ...values.map((value) => value * 1.04), 1e-9);
  }

  function options(spec, place, width, top) {
    const axis = {
      font: `11px ${getComputedStyle(document.body).fontFamily}`,
      stroke: () => colour("muted"),
      ticks: { show: false },
      grid: { stroke: () => colour("grid"), width: 1 },
    };
    return {
      width,
      height: spec.height,
      padding: [6, 20, spec.bare ? 4 : 0, 0],
      legend: { show: false },
      cursor: { y: false, points: { show: false }, sync: { key: "day" }, drag: { x: true, y: false, dist: 6 } },
      scales: { x: { time: false, range: (u, low, high) => (low === null || (low === spec.edges[0] && high === spec.edges.at(-1)) ? [from, until] : [low, high]) }, y: { range: [0, top] } },
      axes: [
        { ...axis, show: !spec.bare, size: 26, splits: timeSplits, values: (u, splits) => splits.map((at) => clock(at, u.fine)) },
        {
          ...axis,
          size: GUTTER,
          space: 34,
          values: (u, splits) => splits.map((value) => (spec.axis ? spec.axis(value) : "")),
          grid: { ...axis.grid, show: !spec.lanes },
        },
      ],
      series: [{}, ...spec.series.map(({ stroke, width: thickness, dash, fill, paths }) => ({ stroke, width: thickness, dash, fill, paths, points: { show: false } }))],
      hooks: {
        drawAxes: spec.shaded ? [(u) => drawShade(u, spec.shaded)] : [],
        draw: [(u) => drawn(u, spec, place)],
        setCursor: [(u) => readOut(plots.find((plot) => plot.u === u))],
        setScale: [(u, scale) => scale === "x" && markZoom(u)],
      },
    };
  }

  function build(host, top) {
    const place = Number(host.dataset.day);
    const spec = CHARTS[host.dataset.chart](days[place]);
    const data = [spec.edges, ...spec.series.map(atEdges)];
    const u = new uPlot(options(spec, place, host.clientWidth, top ?? highest(spec)), spec.lanes ? [spec.edges] : data, host);
    // The readings stand in the legend before the chart, in the order of the legend and not of the painting.
    let legend = host.previousElementSibling;
    if (!legend?.classList.contains("legend")) legend = spec.lanes ? null : legend?.previousElementSibling;
    const plot = { u, spec, host, place, values: legend ? [...legend.querySelectorAll("[data-value]")] : [] };
    plots.push(plot);
    if (spec.lanes) u.over.addEventListener("click", () => chooseNearest(u, place));
    readOut(plot);
  }

  /** Builds all charts of these kinds; those of two days get one vertical scale. */
  function buildAll(names) {
    for (const name of names) {
      const hosts = [...document.querySelectorAll(`.plot[data-chart="${name}"]`)];
      const top = Math.max(...hosts.map((host) => highest(CHARTS[name](days[Number(host.dataset.day)]))));
      for (const host of hosts) build(host, top);
    }
  }

  function redraw() {
    colours = new Map();
    for (const { u } of plots) u.redraw();
  }

  function fit() {
    for (const { u, spec, host } of plots) if (host.clientWidth && host.clientWidth !== u.width) u.setSize({ width: host.clientWidth, height: spec.height });
  }

  // ---- reading, zooming, choosing ---------------------------------------------------------------------------------------
  const under = (u) => (u.cursor.left >= 0 ? u.posToVal(u.cursor.left, "x") : pinned?.at ?? null);

  function readOut(plot) {
    if (!plot) return;
    const at = under(plot.u);
    const place = at === null ? -1 : plot.spec.edges.findLastIndex((edge) => edge <= at);
    plot.spec.series.forEach((one, index) => {
      const span = plot.values[one.order ?? index];
      const value = at === null ? one.rest : one.values[place] ?? null;
      if (span) span.textContent = value === null ? (at === null ? "" : "–") : plot.spec.written(value);
    });
    document.getElementById("when").textContent = at === null ? "Whole day" : clock(at, plot.spec.edges.length > 1 && days[0].interval < 60);
    document.getElementById("hint").textContent =
      at === null ? "Point at a chart for its numbers, drag to zoom in." : pinned ? "Press Escape to let go of the chosen moment." : "Drag to zoom in.";
  }

  function markZoom(u) {
    zoomed = u.scales.x.min > from + 1 || u.scales.x.max < until - 1;
    document.getElementById("whole").hidden = !zoomed;
  }

  function showWhole() {
    zoomed = false;
    for (const { u } of plots) u.setScale("x", { min: from, max: until });
    document.getElementById("whole").hidden = true;
  }

  function point(moment) {
    for (const { u } of plots) u.setCursor({ left: moment ? u.valToPos(moment.at, "x") : -10, top: moment ? 1 : -10 }, true, false);
    for (const plot of plots) readOut(plot);
  }

  function choose(moment) {
    pinned = moment;
    for (const button of document.querySelectorAll("[data-moment]")) {
      const chosen = moment !== null && moments[Number(button.dataset.moment)] === moment;
      button.setAttribute("aria-pressed", String(chosen));
      if (chosen) reveal(button.parentElement);
    }
    const { min, max } = plots[0]?.u.scales.x ?? {};
    if (moment && (moment.at < min || moment.at > max)) showWhole();
    point(moment);
    redraw();
  }

  /** Scrolls the list, and not the page, to an entry. */
  function reveal(entry) {
    const list = entry.parentElement;
    const [outer, inner] = [list.getBoundingClientRect(), entry.getBoundingClientRect()];
    if (inner.top < outer.top || inner.bottom > outer.bottom) list.scrollTop += inner.top - outer.top - 40;
  }

  function chooseNearest(u, place) {
    const away = (moment) => Math.hypot(u.valToPos(moment.at, "x") - u.cursor.left, lane(moment.kind) - u.cursor.top);
    const near = moments.filter((moment) => moment.day === place && !hiddenKinds.has(moment.kind) && away(moment) < 14);
    if (near.length) choose(near.reduce((best, moment) => (away(moment) < away(best) ? moment : best)));
  }

  function listen() {
    for (const button of document.querySelectorAll("[data-moment]")) {
      const moment = moments[Number(button.dataset.moment)];
      button.addEventListener("click", () => {
        choose(pinned === moment ? null : moment);
        const charts = document.getElementById("charts");
        const beside = charts.offsetTop === document.querySelector(".moments").offsetTop;
        if (pinned && !beside) charts.scrollIntoView({ block: "start" });
      });
      for (const name of ["mouseenter", "focus"]) button.addEventListener(name, () => point(moment));
      for (const name of ["mouseleave", "blur"]) button.addEventListener(name, () => point(pinned));
    }
    for (const button of document.querySelectorAll("[data-kind][aria-pressed]")) button.addEventListener("click", () => toggleKind(button));
    for (const button of document.querySelectorAll("[data-view]")) button.addEventListener("click", () => chooseView(button));
    document.getElementById("whole").addEventListener("click", showWhole);
    document.getElementById("theme").addEventListener("click", () => setTheme(isDark() ? "light" : "dark"));
    document.addEventListener("keydown", (event) => event.key === "Escape" && choose(null));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => setTheme(root.dataset.theme));
    addEventListener("resize", fit);
    addEventListener("beforeprint", () => print(true));
    addEventListener("afterprint", () => print(false));
  }

  function toggleKind(button) {
    const { kind } = button.dataset;
    if (!hiddenKinds.delete(kind)) hiddenKinds.add(kind);
    button.setAttribute("aria-pressed", String(!hiddenKinds.has(kind)));
    for (const entry of document.querySelectorAll(".moments li")) entry.hidden = hiddenKinds.has(entry.dataset.kind);
    redraw();
  }

  const chartsOf = (name) => plots.filter(({ host }) => host.dataset.chart === name);

  function chooseView(button) {
    view = button.dataset.view;
    for (const one of document.querySelectorAll("[data-view]")) one.setAttribute("aria-pressed", String(one === button));
    for (const plot of chartsOf("carriers")) {
      plot.u.destroy();
      plots.splice(plots.indexOf(plot), 1);
    }
    const [part, { min, max }] = [zoomed, plots[0].u.scales.x];
    buildAll(["carriers"]);
    // A new chart knows its scales only after this task.
    queueMicrotask(() => {
      if (part) for (const plot of chartsOf("carriers")) plot.u.setScale("x", { min, max });
      point(pinned);
    });
  }

  // ---- light, dark, paper -------------------------------------------------------------------------------------------------
  const isDark = () => (root.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";

  function setTheme(name) {
    if (name) root.dataset.theme = name;
    document.getElementById("theme").textContent = isDark() ? "Light" : "Dark";
    redraw();
  }

  /** Paper is light, shows the whole day and is as wide as A4 across. */
  function print(begins) {
    root.classList.toggle("printing", begins);
    if (begins) {
      showWhole();
      point(null);
    }
    fit();
    redraw();
  }

  for (const id of ["theme", "kinds", "carrier-views"]) document.getElementById(id)?.removeAttribute("hidden");
  buildAll(Object.keys(CHARTS));
  listen();
  setTheme(root.dataset.theme);
})();

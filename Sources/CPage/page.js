"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const SVG = "http://www.w3.org/2000/svg";
  const points = 700, keptSeconds = 90;
  // The colours of Okabe and Ito, which the colour-blind can tell apart; style sheet has both themes.
  const phases = {
    compute: ["compute", "--compute"], fold: ["fold", "--fold"], wait: ["waiting", "--waiting"],
    vote: ["vote", "--vote"], update: ["update", "--update"], state: ["state transfer", "--state"],
    step: ["step (run)", "--run"], evaluate: ["held-out part", "--evaluate"],
    forming: ["forming a ring", "--forming"],
  };
  const runColours = { gathering: "--waiting", restoring: "--state", forming: "--forming", step: "--run",
    evaluate: "--evaluate", saving: "--update", checkpoint: "--update" };
  const marks = { lost: ["✕", "lost", "--bad"], joined: ["▲", "joined", "--good"],
    ring: ["◆", "ring formed", "--over"], saved: ["■", "checkpoint", "--soft"], learns: ["▽", "takes the state", "--state"] };
  const signs = { good: "●", waiting: "◐", bad: "▲", over: "■" };
  const titles = { loss: "Loss", nll: "Loss without smoothing (−log p)", learning_rate: "Learning rate",
    gradient_norm: "Gradient norm", tokens_per_s: "Tokens a second", step_s: "Seconds a step" };
  const shownColumns = ["loss", "gradient_norm", "learning_rate", "tokens_per_s", "step_s"];

  let info = null, offset = 0, picture = null, held = [], logs = [], spans = [];
  let stream = null, boot = "", lastHeard = 0, lostSince = 0, isRefused = false;
  let series = [], heldOf = [], comparisons = [];
  let zoom = null, view = { seconds: 60, end: null }, past = null;
  let comparedAt = 0, slow = false, drawn = [], chartsDue = false, lanesDue = false, lastCharts = 0, drag = null;

  const now = () => Date.now() / 1000 + offset;
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const el = (name, text, kind) => {
    const one = document.createElement(name);
    if (text !== undefined) one.textContent = text;
    if (kind) one.className = kind;
    return one;
  };
  const shape = (name, values, text) => {
    const one = document.createElementNS(SVG, name);
    for (const key in values) one.setAttribute(key, values[key]);
    if (text !== undefined) one.textContent = text;
    return one;
  };
  const grouped = (number) => Math.round(number).toLocaleString("en-US");
  const figure = (value) => {
    if (value === null || value === undefined || !isFinite(value)) return "–";
    const size = Math.abs(value);
    if (size >= 10000) return grouped(value);
    if (size === 0 || size >= 0.001) return String(+value.toPrecision(4));
    return value.toExponential(2);
  };
  const span = (s) => {
    s = Math.max(0, s);
    if (s < 10) return s.toFixed(1) + " s";
    if (s < 100) return Math.round(s) + " s";
    if (s < 6000) return Math.floor(s / 60) + " min " + Math.round(s % 60) + " s";
    return Math.floor(s / 3600) + " h " + Math.floor((s % 3600) / 60) + " min";
  };
  const clock = (t) => new Date(t * 1000).toLocaleTimeString("en-GB");

  // ---- the connection

  const ask = async (path) => {
    const answer = await fetch(path, { credentials: "same-origin", cache: "no-store" });
    if (answer.status === 401) { isRefused = true; throw new Error("refused"); }
    if (!answer.ok) throw new Error(await answer.text());
    return answer.json();
  };
  const enter = async () => {
    const match = location.hash.match(/token=([0-9a-z]+)/);
    if (!match) return;
    const answer = await fetch("/session", { method: "POST", headers: { Authorization: "Bearer " + match[1] } });
    // The secret does not stay in the address bar or the history.
    if (answer.ok) history.replaceState(null, "", location.pathname);
  };
  const say = (text, isLost) => {
    const link = $("link");
    if (link.textContent !== text) link.textContent = text;
    link.classList.toggle("lost", !!isLost);
  };
  const lose = () => {
    if (!lostSince) lostSince = Date.now();
    const since = new Date(lostSince).toLocaleTimeString("en-GB");
    const isOver = picture && (picture.weight === "over");
    if (isRefused) say("the link with its token is missing: the file page-token in the run's folder has it", true);
    else if (isOver) say("the run is over and its page went with it: dtrain page shows it again", true);
    else say("connection lost at " + since + ", trying again", true);
    drawVerdict();
  };
  const begin = async () => {
    try {
      await enter();
      const start = await ask("/start");
      isRefused = false;
      info = start; offset = start.now - Date.now() / 1000; boot = start.boot;
      held = start.held; logs = start.log; spans = start.spans.map(unpack);
      take(start.picture);
      document.title = info.runs[0].name + " · dtrain";
      $("name").textContent = info.runs[0].name;
      $("name").title = info.runs[0].folder;
      drawLog(); drawLater();
      listen(start.seq);
      await loadSeries();
      compare();
    } catch (error) {
      lose();
      setTimeout(begin, isRefused ? 3000 : 1000);
    }
  };
  const listen = (seq) => {
    if (stream) stream.close();
    const own = stream = new EventSource("/stream?after=" + encodeURIComponent(boot + "-" + seq));
    own.onopen = () => { if (own === stream) found(); };
    own.onmessage = (event) => {
      if (own !== stream) return;
      found();
      heed(JSON.parse(event.data));
    };
    own.onerror = () => {
      if (own !== stream) return;
      lose();
      // The browser gives up where the server has answered something else.
      if (own.readyState === EventSource.CLOSED) { own.close(); setTimeout(begin, 1000); }
    };
  };
  const found = () => {
    lastHeard = Date.now();
    if (lostSince) { lostSince = 0; drawVerdict(); }
    say("connected");
  };
  const unpack = (s) => ({ worker: s[0], phase: s[1], step: s[2], start: s[3], end: s[4], error: s[5] });
  const heed = (message) => {
    switch (message.k) {
      case "missed": stream.close(); begin(); break;
      case "restarted": loadSeries(); break;
      case "log": logs.push(message); if (logs.length > 800) logs.shift(); addLog(message); lanesDue = true; break;
      case "spans":
        for (const s of message.spans) spans.push(unpack(s));
        lanesDue = true;
        break;
      case "step": push(message); break;
      case "held": held = message.held; chartsDue = true; break;
      case "picture": take(message); break;
    }
  };

  // ---- verdict, workers, ring, bits

  const take = (message) => {
    const before = picture;
    picture = message;
    drawVerdict();
    if (JSON.stringify([before && before.workers, before && before.ring]) !== JSON.stringify([message.workers, message.ring])) {
      drawWorkers(); drawRing();
    }
    if (JSON.stringify(before && [before.bits, before.checkpoint]) !== JSON.stringify([message.bits, message.checkpoint])) drawBits();
  };
  const drawVerdict = () => {
    if (!picture) return;
    const p = picture, isStale = !!lostSince;
    $("verdict").className = "verdict " + (isStale ? "stale" : p.weight);
    $("sign").textContent = isStale ? "◌" : signs[p.weight] || "◌";
    let words = p.verdict;
    if (/^(waits|recovers|paused|no news)/.test(p.verdict) && p.since > 0) words += ", " + span(now() - p.since);
    if ($("words").textContent !== words) $("words").textContent = words;
    const age = p.asOf > 0 ? now() - p.asOf : 0;
    $("age").textContent = p.asOf > 0 ? (isStale || age > 3 ? "as of " + span(age) + " ago" : "as of now") : "";
    const share = p.steps ? Math.min(1, p.step / p.steps) : 0;
    $("progress").hidden = !p.steps;
    $("bar").style.width = (100 * share).toFixed(2) + "%";
    $("progress").setAttribute("aria-valuenow", Math.round(100 * share));
    const facts = ["step " + grouped(p.step) + (p.steps ? " of " + grouped(p.steps) : "")];
    if (p.parameters) facts.push(grouped(p.parameters) + " parameters");
    const members = p.workers.filter((w) => w.state === "member").length;
    if (members) facts.push(members + (members === 1 ? " worker" : " workers"));
    if (p.address) facts.push(p.address);
    if (p.reading) facts.push("reading metrics.jsonl: " + Math.round(100 * p.reading) + " %");
    $("facts").textContent = facts.join(" · ");
  };
  const sentence = (name, mark) => {
    for (let i = logs.length - 1; i >= 0; i--) if (logs[i].worker === name && (!mark || logs[i].mark === mark)) return logs[i];
    return null;
  };
  const drawWorkers = () => {
    const list = picture.workers.map((w) => {
      const item = el("li", undefined, w.state);
      item.append(el("b", w.name), w.host ? " on " + w.host : "");
      const parts = [];
      if (w.state === "lost") parts.push("lost at " + clock(w.lostAt));
      else {
        if (w.state === "member") parts.push(w.shards + (w.shards === 1 ? " shard" : " shards"));
        else parts.push(w.state === "learning" ? "takes the state from the others" : "not in the ring");
        if (w.threads) parts.push(w.threads + (w.threads === 1 ? " thread" : " threads"));
      }
      const why = w.state === "lost" && sentence(w.name, "lost");
      item.append(" ", el("small", parts.join(" · ") + (why ? ": " + why.text : "")));
      return item;
    });
    $("workers").replaceChildren(...(list.length ? list : [el("li", "no worker has been told of", "waiting")]));
  };
  const drawRing = () => {
    const names = picture.ring;
    if (!names.length) return $("ring").replaceChildren(el("p", "No ring is formed.", "empty"));
    const hosts = {};
    for (const w of picture.workers) hosts[w.name] = w;
    const svg = shape("svg", { viewBox: "0 0 340 246", role: "img" });
    svg.append(shape("title", {}, "Ring of " + names.map((n) => n + (hosts[n] && hosts[n].host ? " on " + hosts[n].host : "")).join(", ")));
    const cx = 170, cy = 122, rx = names.length > 1 ? 105 : 0, ry = names.length > 1 ? 82 : 0;
    const at = (i) => { const a = -Math.PI / 2 + 2 * Math.PI * i / names.length; return [cx + rx * Math.cos(a), cy + ry * Math.sin(a)]; };
    if (names.length > 1) svg.append(shape("ellipse", { cx, cy, rx, ry, fill: "none", stroke: colour("--line"), "stroke-width": 2 }));
    names.forEach((name, i) => {
      if (names.length < 2) return;
      const a = -Math.PI / 2 + 2 * Math.PI * (i + 0.5) / names.length;
      const x = cx + rx * Math.cos(a), y = cy + ry * Math.sin(a);
      const turn = Math.atan2(ry * Math.cos(a), -rx * Math.sin(a)) * 180 / Math.PI;
      svg.append(shape("path", { d: "M-5,-4 L4,0 L-5,4 Z", fill: colour("--soft"), transform: "translate(" + x.toFixed(1) + "," + y.toFixed(1) + ") rotate(" + turn.toFixed(1) + ")" }));
    });
    const r = names.length > 12 ? 8 : names.length > 8 ? 14 : 19, small = names.length > 12;
    names.forEach((name, i) => {
      const [x, y] = at(i), w = hosts[name];
      svg.append(shape("circle", { cx: x, cy: y, r, fill: colour("--compute"), stroke: colour("--card"), "stroke-width": 3 }));
      if (!small) svg.append(shape("text", { x, y: y + 4.5, "text-anchor": "middle", "font-size": 12, "font-weight": 650, fill: "#fff" }, name));
    });
    const byHost = {};
    for (const name of names) { const h = (hosts[name] && hosts[name].host) || "?"; (byHost[h] = byHost[h] || []).push(name); }
    const text = Object.keys(byHost).map((h) => h + ": " + byHost[h].join(", ")).join("  ·  ");
    $("ring").replaceChildren(svg, el("p", text, "hint"));
  };
  const drawBits = () => {
    const list = [], row = (name, value, kind) => { list.push(el("dt", name)); const d = el("dd", undefined, kind); d.append(value); list.push(d); };
    const bits = picture.bits;
    if (bits) {
      row("step", grouped(bits.step));
      row("gradient", el("code", bits.total));
      row("state before it", el("code", bits.state));
      if (bits.workers) row("held by", bits.workers === 1 ? "1 worker" : "equal on all " + bits.workers + " workers", "equal");
    } else row("ledger", "no step is in it");
    const saved = picture.checkpoint;
    if (saved) { row("checkpoint", "step " + grouped(saved.step)); row("its SHA-256", el("code", saved.digest)); }
    comparisons.forEach((words, run) => { if (words) row("beside " + info.runs[run].name, words, words.startsWith("equal") ? "equal" : "differs"); });
    $("bits").replaceChildren(...list);
  };
  const compare = async () => {
    comparedAt = Date.now();
    for (let run = 1; run < info.runs.length; run++) {
      // Bits that differ once differ for good.
      if (comparisons[run] && comparisons[run].startsWith("the first")) continue;
      try { comparisons[run] = (await ask("/bits?run=" + run)).comparison; } catch (error) { continue; }
    }
    drawBits();
  };

  // ---- log

  const logItem = (line) => {
    const item = el("li", undefined, line.mark === "lost" ? "lost" : line.warns ? "warns" : "");
    const time = el("time", clock(line.t));
    time.dateTime = new Date(line.t * 1000).toISOString();
    item.append(time, el("span", line.text));
    return item;
  };
  const isShown = (line) => !$("warns").checked || line.warns;
  const drawLog = () => $("logs").replaceChildren(...logs.filter(isShown).slice(-400).reverse().map(logItem));
  const addLog = (line) => {
    if (isShown(line)) $("logs").prepend(logItem(line));
    while ($("logs").childElementCount > 400) $("logs").lastChild.remove();
    if (line.mark) drawWorkers();
  };

  // ---- time line

  const windowEnd = () => {
    if (view.end !== null) return view.end;
    let last = 0;
    for (const s of spans) if (s.end > last) last = s.end;
    // What has ended stands still.
    return picture && (picture.weight === "over" || picture.verdict.startsWith("the coordinator is gone")) && last ? last + 0.5 : now();
  };
  const byName = (a, b) => (parseInt(a.slice(1), 10) || 0) - (parseInt(b.slice(1), 10) || 0) || (a < b ? -1 : 1);
  const drawLanes = () => {
    lanesDue = false;
    const canvas = $("lanes"), end = windowEnd(), begin = end - view.seconds;
    const source = past ? past.spans : spans, said = past ? past.log : logs;
    const visible = source.filter((s) => s.end >= begin && s.start <= end), found = new Set();
    for (const s of visible) if (s.worker) found.add(s.worker);
    const names = [...new Set([...found,
      ...(past ? [] : picture ? picture.workers.filter((w) => w.state !== "lost" || w.lostAt > begin).map((w) => w.name) : [])])].sort(byName);
    const lanes = ["", ...names], width = canvas.clientWidth, row = lanes.length > 12 ? 18 : 26, left = 46, top = 18;
    const height = top + lanes.length * (row + 4) + 4, ratio = window.devicePixelRatio || 1;
    canvas.style.height = height + "px";
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio); canvas.height = Math.round(height * ratio);
    }
    const g = canvas.getContext("2d");
    g.setTransform(ratio, 0, 0, ratio, 0, 0);
    g.clearRect(0, 0, width, height);
    g.font = "11px system-ui, 'DejaVu Sans', sans-serif";
    g.textBaseline = "middle";
    const x = (t) => left + (t - begin) / view.seconds * (width - left);
    const tones = {};
    const tone = (name) => tones[name] || (tones[name] = colour(name));
    const each = [1, 2, 5, 10, 15, 30, 60, 120].find((s) => view.seconds / s <= Math.max(3, width / 110)) || 300;
    g.fillStyle = tone("--soft");
    for (let t = Math.ceil(begin / each) * each; t <= end; t += each) {
      g.globalAlpha = 0.25; g.fillRect(x(t), top - 4, 1, height - top); g.globalAlpha = 1;
      if (x(t) > left + 20 && x(t) < width - 28) { g.textAlign = "center"; g.fillText(clock(t), x(t), 8); }
    }
    const y = {};
    drawn = [];
    lanes.forEach((name, i) => {
      y[name] = top + i * (row + 4);
      const worker = picture && picture.workers.find((w) => w.name === name);
      const isLost = worker && worker.state === "lost" && !past;
      g.fillStyle = tone("--faint");
      g.fillRect(left, y[name], width - left, row);
      g.textAlign = "left";
      g.fillStyle = isLost ? tone("--bad") : tone("--ink");
      g.fillText((isLost ? "✕ " : "") + (name || "run"), 2, y[name] + row / 2);
      if (isLost) {
        const from = Math.max(left, x(worker.lostAt));
        g.globalAlpha = 0.35; g.fillStyle = tone("--bad"); g.fillRect(from, y[name], width - from, row); g.globalAlpha = 1;
      }
    });
    // Of many that are narrower than a pixel, one is drawn.
    const taken = new Map();
    for (const s of visible) {
      if (!(s.worker in y)) continue;
      const from = Math.max(left, x(s.start)), to = Math.min(width, Math.max(x(s.end), from + 0.6));
      if (to <= left) continue;
      if (to - from < 1) {
        const key = s.worker + " " + s.phase;
        let columns = taken.get(key);
        if (!columns) taken.set(key, columns = new Uint8Array(Math.ceil(width) + 2));
        if (columns[Math.floor(from)]) continue;
        columns[Math.floor(from)] = 1;
      }
      let [a, h] = [y[s.worker], row];
      // These two overlap.
      if (s.phase === "fold") { a += row * 0.5; h = row * 0.5; }
      if (s.phase === "wait") h = row * 0.5;
      if (s.phase === "checkpoint") { a += row - 5; h = 5; }
      g.fillStyle = tone(s.worker ? (phases[s.phase] || ["", "--run"])[1] : runColours[s.phase] || "--run");
      g.fillRect(from, a, Math.max(0.6, to - from - (s.phase === "step" ? 1 : 0)), h);
      if (s.phase === "step" && to - from > 34) {
        g.fillStyle = tone("--ink"); g.textAlign = "center"; g.fillText(String(s.step), (from + to) / 2, a + h / 2);
      }
      drawn.push({ x: from, y: a, w: Math.max(3, to - from), h, span: s });
    }
    for (const line of said) {
      if (!line.mark || !marks[line.mark] || line.t < begin || line.t > end) continue;
      const lane = line.worker && line.worker in y ? line.worker : "";
      const at = Math.min(width - 7, Math.max(left + 7, x(line.t))), mid = y[lane] + row / 2;
      g.beginPath(); g.arc(at, mid, 8, 0, 7); g.fillStyle = tone("--card"); g.fill();
      g.fillStyle = tone(marks[line.mark][2]); g.textAlign = "center";
      g.font = "bold 12px system-ui, 'DejaVu Sans', sans-serif";
      g.fillText(marks[line.mark][0], at, mid + 0.5);
      g.font = "11px system-ui, 'DejaVu Sans', sans-serif";
      drawn.push({ x: at - 9, y: y[lane], w: 18, h: row, line });
    }
    if (!visible.length) {
      g.fillStyle = tone("--soft"); g.textAlign = "center";
      g.fillText("no spans are kept of this stretch", left + (width - left) / 2, y[""] + row / 2);
    }
    canvas.setAttribute("aria-label", "Time line from " + clock(begin) + " to " + clock(end) + ", " + names.length + " workers; the log has its marks as sentences");
  };
  const pick = (event) => {
    const box = $("lanes").getBoundingClientRect(), px = event.clientX - box.left, py = event.clientY - box.top;
    const hit = [...drawn].reverse().find((d) => px >= d.x - 1 && px <= d.x + d.w + 1 && py >= d.y && py <= d.y + d.h);
    const detail = $("detail");
    detail.classList.toggle("shown", !!hit);
    detail.classList.toggle("warns", !!(hit && hit.line && hit.line.warns));
    if (!hit) { detail.textContent = "nothing was told of this place"; return; }
    if (hit.line) { detail.textContent = clock(hit.line.t) + "  " + hit.line.text; return; }
    const s = hit.span, ms = 1000 * (s.end - s.start);
    detail.textContent = (s.worker || "run") + ": " + (phases[s.phase] ? phases[s.phase][0] : s.phase) + ", step " + s.step + ", "
      + (ms < 10000 ? ms.toFixed(ms < 10 ? 2 : 1) + " ms" : span(ms / 1000)) + " from " + clock(s.start)
      + (s.error ? ", clock right to " + (1000 * s.error).toFixed(2) + " ms" : "");
  };
  const move = async (by) => {
    view.end = windowEnd() + by * view.seconds;
    if (view.end >= now()) return goLive();
    $("live").setAttribute("aria-pressed", "false");
    const from = view.end - view.seconds;
    if (from < now() - keptSeconds || spans.length === 0) {
      try {
        const found = await ask("/timeline?from=" + from + "&to=" + view.end);
        past = { spans: found.spans.map(unpack), log: found.log };
      } catch (error) { past = null; }
    } else past = null;
    drawLanes();
  };
  const goLive = () => { view.end = null; past = null; $("live").setAttribute("aria-pressed", "true"); drawLanes(); };

  // ---- series

  const loadSeries = async () => {
    const [from, to] = zoom || [1, Number.MAX_SAFE_INTEGER];
    await Promise.all(info.runs.map(async (run, i) => {
      if (i > 0 && !$("others").checked) return;
      try {
        const got = await ask("/series?run=" + i + "&from=" + from + "&to=" + to + "&points=" + points);
        series[i] = unfold(got);
        heldOf[i] = i === 0 ? held : (await ask("/held?run=" + i)).held;
      } catch (error) { if (isRefused) lose(); }
    }));
    drawCharts();
  };
  const unfold = (got) => {
    const result = { each: got.each, steps: got.steps, columns: {} };
    for (const name of info.columns) {
      const raw = got[name] || [], three = got.each > 1, n = got.steps.length;
      const low = new Array(n), high = new Array(n), mean = new Array(n);
      for (let i = 0; i < n; i++) {
        low[i] = three ? raw[3 * i] : raw[i]; high[i] = three ? raw[3 * i + 1] : raw[i]; mean[i] = three ? raw[3 * i + 2] : raw[i];
      }
      result.columns[name] = { low, high, mean };
    }
    return result;
  };
  const push = (message) => {
    const own = series[0];
    if (!own || (zoom && message.step > zoom[1])) return;
    const n = own.steps.length, last = n ? own.steps[n - 1] : 0;
    if (n && message.step < last) return;
    const block = Math.floor((message.step - 1) / own.each), isNew = !n || block > Math.floor((last - 1) / own.each);
    if (!isNew && own.each === 1) return;
    if (isNew) own.steps.push(message.step);
    const at = own.steps.length - 1, count = message.step - own.steps[at];
    info.columns.forEach((name, i) => {
      const c = own.columns[name], value = message.values[i] === undefined ? null : message.values[i];
      if (isNew) { c.low[at] = c.high[at] = c.mean[at] = value; return; }
      if (value === null) return;
      c.low[at] = c.low[at] === null ? value : Math.min(c.low[at], value);
      c.high[at] = c.high[at] === null ? value : Math.max(c.high[at], value);
      c.mean[at] = c.mean[at] === null ? value : (c.mean[at] * count + value) / (count + 1);
    });
    info.runs[0].steps = Math.max(info.runs[0].steps, message.step);
    chartsDue = true;
    if (own.steps.length > 2 * points) { own.steps.length = 0; loadSeries(); }
  };
  const smoothed = (values) => {
    const weight = +$("smooth").value;
    if (!weight) return values;
    let sum = 0, norm = 0;
    return values.map((v) => {
      if (v === null) return null;
      sum = weight * sum + (1 - weight) * v; norm = weight * norm + (1 - weight);
      return sum / norm;
    });
  };
  // What is drawn under one title: lines of runs, each with steps, low, high, mean.
  const contents = () => {
    const list = shownColumns.map((name) => ({ id: name, title: titles[name], lines: series.map((s, run) => s && { run, steps: s.steps, ...s.columns[name] }).filter(Boolean) }));
    const names = new Set();
    heldOf[0] = held;
    heldOf.forEach((of) => (of || []).forEach((h) => Object.keys(h.figures).forEach((n) => names.add(n))));
    let place = 1;
    for (const name of [...names].sort()) {
      if (name === "validation_smoothed_loss") continue;
      const lines = heldOf.map((of, run) => {
        const rows = (of || []).filter((h) => isFinite(h.figures[name]) && h.figures[name] !== null && (!zoom || (h.step >= zoom[0] && h.step <= zoom[1])));
        const values = rows.map((h) => +h.figures[name]);
        return { run, steps: rows.map((h) => h.step), low: values, high: values, mean: values, dots: true };
      }).filter((l) => l.steps.length);
      if (lines.length) list.splice(place++, 0, { id: name, title: name === "validation_loss" ? "Held-out loss" : "Held-out " + name.replaceAll("_", " "), lines });
    }
    return list;
  };
  const charts = new Map();
  const chart = (id) => {
    if (charts.has(id)) return charts.get(id);
    const figure = el("figure", undefined, "chart"), caption = el("figcaption"), title = el("b"), value = el("span");
    const svgButton = el("button", "SVG"), csvButton = el("button", "CSV"), svg = shape("svg", { tabindex: 0, role: "img" });
    caption.append(title, value, svgButton, csvButton);
    figure.append(caption, svg);
    const one = { id, figure, title, value, svg, content: null };
    svgButton.onclick = () => saveSVG(one);
    csvButton.onclick = () => saveCSV(one);
    svg.addEventListener("pointerdown", (e) => { if (e.button === 0) { drag = { one, from: place(one, e), to: null }; } });
    svg.addEventListener("pointermove", (e) => hover(one, e));
    svg.addEventListener("pointerleave", () => { if (!drag) { one.hover = null; latest(one); cursor(one); } });
    svg.addEventListener("dblclick", () => setZoom(null));
    svg.addEventListener("keydown", (e) => chartKey(e));
    charts.set(id, one);
    return one;
  };
  const setZoom = (range) => {
    if (range) {
      const a = Math.max(1, Math.round(Math.min(...range))), b = Math.max(a + 1, Math.round(Math.max(...range)));
      zoom = [a, b];
    } else zoom = null;
    loadSeries();
  };
  const chartKey = (e) => {
    const last = Math.max(2, ...info.runs.map((r) => r.steps)), [a, b] = zoom || [1, last], size = b - a;
    const moves = { "+": [a + size / 4, b - size / 4], "=": [a + size / 4, b - size / 4], "-": [a - size / 2, b + size / 2],
      ArrowLeft: [a - size / 4, b - size / 4], ArrowRight: [a + size / 4, b + size / 4] };
    if (e.key === "0" || e.key === "Escape") { setZoom(null); e.preventDefault(); }
    else if (moves[e.key]) {
      let [x, y] = moves[e.key];
      if (x < 1) { y += 1 - x; x = 1; }
      y = Math.min(last, y); e.preventDefault();
      setZoom(x <= 1 && y >= last ? null : [x, y]);
    }
  };
  const place = (one, e) => {
    const box = one.svg.getBoundingClientRect();
    return Math.min(one.scale.x1, Math.max(one.scale.x0, one.scale.x0 + (e.clientX - box.left - one.scale.left) / (box.width - one.scale.left - one.scale.right) * (one.scale.x1 - one.scale.x0)));
  };
  const hover = (one, e) => {
    if (!one.scale) return;
    const step = place(one, e);
    if (drag && drag.one === one) drag.to = step;
    one.hover = step;
    const own = one.content.lines.find((l) => l.run === 0);
    if (own && own.steps.length) {
      let i = 0;
      while (i + 1 < own.steps.length && own.steps[i + 1] <= step) i++;
      one.value.textContent = "step " + grouped(own.steps[i]) + ": " + figure(own.mean[i]);
    }
    cursor(one);
  };
  const cursor = (one) => {
    for (const old of one.svg.querySelectorAll(".cursor")) old.remove();
    if (!one.scale) return;
    const { left, top, w, h, x0, x1 } = one.scale, x = (s) => left + (s - x0) / (x1 - x0) * w;
    if (drag && drag.one === one && drag.to !== null) {
      const [a, b] = [x(Math.min(drag.from, drag.to)), x(Math.max(drag.from, drag.to))];
      one.svg.append(shape("rect", { class: "cursor", x: a, y: top, width: Math.max(1, b - a), height: h, fill: colour("--accent"), opacity: 0.2 }));
    } else if (one.hover) one.svg.append(shape("line", { class: "cursor", x1: x(one.hover), x2: x(one.hover), y1: top, y2: top + h, stroke: colour("--soft"), "stroke-dasharray": "3 3" }));
  };
  window.addEventListener("pointerup", () => {
    if (!drag) return;
    const { one, from, to } = drag;
    drag = null;
    if (to !== null && Math.abs(to - from) > (one.scale.x1 - one.scale.x0) / 100) setZoom([from, to]); else cursor(one);
  });
  const latest = (one) => {
    const own = one.content.lines.find((l) => l.run === 0);
    const values = own ? own.mean.filter((v) => v !== null) : [];
    one.value.textContent = values.length ? figure(values[values.length - 1]) : "";
  };
  const ticks = (a, b, most) => {
    if (!(b > a)) return [];
    const rough = (b - a) / most, power = Math.pow(10, Math.floor(Math.log10(rough)));
    const each = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough), list = [];
    for (let t = Math.ceil(a / each) * each; t <= b + each * 1e-9; t += each) list.push(+t.toPrecision(12));
    return list;
  };
  const short = (v) => {
    const size = Math.abs(v);
    if (size >= 1e6) return +(v / 1e6).toPrecision(4) + "M";
    if (size >= 1e4) return +(v / 1e3).toPrecision(4) + "k";
    if (size !== 0 && size < 1e-3) return v.toExponential(0);
    return String(+v.toPrecision(4));
  };
  const draw = (one) => {
    const svg = one.svg, box = svg.getBoundingClientRect(), width = Math.max(240, box.width), height = 210;
    const left = 46, right = 8, top = 8, bottom = 22, w = width - left - right, h = height - top - bottom;
    const lines = one.content.lines.filter((l) => l.run === 0 || $("others").checked);
    let x0 = Infinity, x1 = -Infinity, y0 = Infinity, y1 = -Infinity, least = Infinity;
    for (const l of lines) {
      l.line = smoothed(l.mean);
      for (let i = 0; i < l.steps.length; i++) {
        if (l.mean[i] === null) continue;
        x0 = Math.min(x0, l.steps[i]); x1 = Math.max(x1, l.steps[i]);
        y0 = Math.min(y0, l.low[i]); y1 = Math.max(y1, l.high[i]);
        if (l.low[i] > 0) least = Math.min(least, l.low[i]);
      }
    }
    svg.replaceChildren();
    svg.setAttribute("viewBox", "0 0 " + width + " " + height);
    if (!isFinite(x0)) {
      one.scale = null;
      svg.append(shape("text", { x: width / 2, y: height / 2, "text-anchor": "middle", "font-size": 12, fill: colour("--soft") }, "no steps yet"));
      return;
    }
    if (zoom) { x0 = Math.max(x0, zoom[0]); x1 = Math.max(x0, Math.min(x1, zoom[1])); }
    const log = $("log").checked && least < Infinity && y1 > 0;
    if (log) { y0 = Math.log10(least); y1 = Math.log10(y1); }
    if (x1 === x0) { x0 -= 0.5; x1 += 0.5; }
    if (y1 - y0 < 1e-12 * Math.max(1, Math.abs(y0))) { const d = Math.abs(y0) * 0.1 || 1; y0 -= d; y1 += d; }
    const pad = (y1 - y0) * 0.05; y0 -= pad; y1 += pad;
    if (!log && pad > 0 && y0 < 0 && y0 > -2 * pad && one.content.lines.every((l) => l.low.every((v) => v === null || v >= 0))) y0 = 0;
    one.scale = { x0, x1, left, right, top, w, h };
    const X = (s) => left + (s - x0) / (x1 - x0) * w;
    const Y = (v) => { const u = log ? Math.log10(Math.max(v, least)) : v; return top + (1 - (u - y0) / (y1 - y0)) * h; };
    const soft = colour("--soft"), grid = colour("--line");
    let marksY = log ? [] : ticks(y0, y1, 5);
    if (log) {
      for (let p = Math.floor(y0); p <= Math.ceil(y1); p++) for (const m of [1, 2, 5]) marksY.push(m * Math.pow(10, p));
      marksY = marksY.filter((v) => Math.log10(v) >= y0 && Math.log10(v) <= y1);
      if (marksY.length > 8) marksY = marksY.filter((v) => Number.isInteger(+Math.log10(v).toFixed(6)));
    }
    for (const v of marksY) {
      svg.append(shape("line", { x1: left, x2: left + w, y1: Y(v), y2: Y(v), stroke: grid, "stroke-width": 1 }),
        shape("text", { x: left - 6, y: Y(v) + 4, "text-anchor": "end", "font-size": 11, fill: soft }, short(v)));
    }
    for (const s of ticks(x0, x1, Math.max(2, Math.floor(w / 80)))) {
      if (!Number.isInteger(s)) continue;
      svg.append(shape("line", { x1: X(s), x2: X(s), y1: top + h, y2: top + h + 4, stroke: soft }),
        shape("text", { x: X(s), y: height - 6, "text-anchor": X(s) > left + w - 18 ? "end" : "middle", "font-size": 11, fill: soft }, short(s)));
    }
    const path = (steps, values) => {
      let d = "", isOpen = false;
      for (let i = 0; i < steps.length; i++) {
        if (values[i] === null || values[i] === undefined) { isOpen = false; continue; }
        d += (isOpen ? "L" : "M") + X(steps[i]).toFixed(1) + "," + Y(values[i]).toFixed(1);
        isOpen = true;
      }
      return d;
    };
    for (const l of [...lines].sort((a, b) => b.run - a.run)) {
      const tone = l.run === 0 ? colour("--accent") : colour("--other");
      if (l.run === 0 && !l.dots && l.steps.length > 1) {
        let up = "", down = "";
        for (let i = 0; i < l.steps.length; i++) {
          if (l.mean[i] === null) continue;
          const x = X(l.steps[i]).toFixed(1);
          up += (up ? "L" : "M") + x + "," + Y(l.high[i]).toFixed(1);
          down = "L" + x + "," + Y(l.low[i]).toFixed(1) + down;
        }
        if (up) svg.append(shape("path", { d: up + down + "Z", fill: tone, opacity: colour("--band"), stroke: "none" }));
      }
      if (+$("smooth").value && !l.dots) svg.append(shape("path", { d: path(l.steps, l.mean), fill: "none", stroke: tone, "stroke-width": 1, opacity: 0.3 }));
      const line = l.dots ? l.mean : l.line;
      svg.append(shape("path", { d: path(l.steps, line), fill: "none", stroke: tone, "stroke-width": l.run === 0 ? 1.8 : 1.2, "stroke-linejoin": "round" }));
      if (l.dots && l.steps.length < 80) l.steps.forEach((s, i) => svg.append(shape("circle", { cx: X(s), cy: Y(line[i]), r: l.run === 0 ? 3 : 2, fill: tone })));
      else if (l.steps.length === 1) svg.append(shape("circle", { cx: X(l.steps[0]), cy: Y(line[0]), r: 3, fill: tone }));
    }
    svg.append(shape("rect", { x: left, y: top, width: w, height: h, fill: "transparent" }));
    const own = lines.find((l) => l.run === 0), values = own ? own.mean.filter((v) => v !== null) : [];
    svg.setAttribute("aria-label", one.content.title + (values.length ? ", from " + figure(values[0]) + " at step " + own.steps[0] + " to " + figure(values[values.length - 1]) + " at step " + own.steps[own.steps.length - 1] : "") + "; + and - zoom, arrows move, 0 shows all");
  };
  const drawCharts = () => {
    chartsDue = false; lastCharts = Date.now();
    if (!info) return;
    const list = contents(), shown = list.map((c) => { const one = chart(c.id); one.content = c; one.title.textContent = c.title; return one; });
    const figures = shown.map((one) => one.figure), grid = $("grid");
    if (figures.length !== grid.children.length || figures.some((f, i) => grid.children[i] !== f)) grid.replaceChildren(...figures);
    for (const one of shown) { draw(one); if (!one.hover) latest(one); cursor(one); }
    const others = info.runs.length - 1;
    $("range").textContent = (zoom ? "steps " + grouped(zoom[0]) + " to " + grouped(zoom[1]) : "all steps")
      + (series[0] && series[0].each > 1 ? ", each point " + grouped(series[0].each) + " steps: mean, and least to greatest as a band" : "")
      + (others && $("others").checked ? ", in grey " + info.runs.slice(1).map((r) => r.name).join(", ") : "") + ". Drag across a chart to zoom.";
  };
  const download = (name, text, type) => {
    const a = el("a");
    a.href = URL.createObjectURL(new Blob([text], { type }));
    a.download = name;
    a.click();
    setTimeout(() => URL.revokeObjectURL(a.href), 10000);
  };
  const fileName = (one, end) => info.runs[0].name.replace(/[^0-9A-Za-z_.-]/g, "_") + "-" + one.id + end;
  const saveSVG = (one) => {
    const copy = one.svg.cloneNode(true), box = one.svg.getBoundingClientRect();
    copy.setAttribute("xmlns", SVG); copy.setAttribute("width", box.width); copy.setAttribute("height", 210);
    copy.setAttribute("font-family", "sans-serif");
    copy.insertBefore(shape("rect", { width: "100%", height: "100%", fill: colour("--card") }), copy.firstChild);
    copy.insertBefore(shape("title", {}, one.content.title + " of " + info.runs[0].name), copy.firstChild);
    download(fileName(one, ".svg"), new XMLSerializer().serializeToString(copy), "image/svg+xml");
  };
  const saveCSV = (one) => {
    const rows = ["run,step,least,greatest,mean"];
    // A name that begins like a formula is none.
    const cell = (text) => '"' + (/^[=+\-@\t\r]/.test(text) ? "'" : "") + text.replaceAll('"', '""') + '"';
    for (const l of one.content.lines) l.steps.forEach((s, i) => { if (l.mean[i] !== null) rows.push([cell(info.runs[l.run].name), s, l.low[i], l.high[i], l.mean[i]].join(",")); });
    download(fileName(one, ".csv"), rows.join("\n") + "\n", "text/csv");
  };

  // ---- what is pressed, and time

  for (const id in phases) { const item = el("li"); item.append(el("i", undefined, "k-" + id), phases[id][0]); $("legend").append(item); }
  for (const id of ["lost", "joined", "ring", "saved"]) { const item = el("li"); item.append(el("b", marks[id][0], "m-" + id), marks[id][1]); $("legend").append(item); }
  $("lanes").addEventListener("click", pick);
  $("lanes").addEventListener("keydown", (e) => {
    const to = { ArrowLeft: -0.5, ArrowRight: 0.5 }[e.key];
    if (to) { move(to); e.preventDefault(); }
    if (e.key === "Home") goLive();
  });
  $("earlier").onclick = () => move(-0.5);
  $("later").onclick = () => move(0.5);
  $("live").onclick = goLive;
  $("window").onchange = (e) => { view.seconds = +e.target.value; if (view.end === null && view.seconds <= 60) goLive(); else move(0); };
  $("smooth").oninput = $("log").onchange = drawCharts;
  $("others").onchange = loadSeries;
  $("whole").onclick = () => setZoom(null);
  $("warns").onchange = drawLog;
  window.addEventListener("hashchange", begin);
  const drawLater = () => { lanesDue = chartsDue = true; };
  new ResizeObserver(drawLater).observe(document.body);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { drawLater(); if (picture) drawRing(); });
  matchMedia("print").addEventListener("change", () => { drawLanes(); drawCharts(); });
  setInterval(() => {
    // A process that has been stopped holds its connections and says nothing.
    if (lastHeard && Date.now() - lastHeard > 6000) lose();
    if (document.hidden) return;
    if (info && !lostSince && Date.now() - comparedAt > 10000 && info.runs.length > 1) compare();
    drawVerdict();
    const oldest = now() - keptSeconds;
    if (spans.length && spans[0].end < oldest && view.end === null) spans = spans.filter((s) => s.end >= Math.min(oldest, windowEnd() - keptSeconds));
    slow = !slow;
    if (slow && spans.length > 8000) return;
    if (picture && (lanesDue || (view.end === null && !lostSince && picture.weight !== "over"))) drawLanes();
    if (chartsDue && Date.now() - lastCharts > 500 && !drag) drawCharts();
  }, 250);
  begin();
})();

/*
 * The room's socket, its number, and the guard that never paints older over newer. Gives the other scripts
 * `window.partyline`. What the screen then says about it is in room.js; where rows stand is in rows.js.
 */
(() => {
  const SILENT_MS = 15000, DEAD_MS = 30000, BEAT_MS = 10000, OPENING_MS = 10000;
  const ANSWER_MS = 3000, BEHIND_MS = 1000, POLL_MS = 5000, LONGEST_DELAY_MS = 10000;
  const SOON_MS = 150, ASK_EVERY_MS = 300;
  const PERSONAL = ['mine', 'notice', 'source-rows'];
  const STOPS = { 4401: 'signed-out', 4403: 'removed', 4404: 'over', 4409: 'elsewhere' };

  const listeners = new Map();
  const on = (type, fn) => listeners.set(type, [...(listeners.get(type) ?? []), fn]);
  const emit = (type, ...args) => {
    for (const fn of listeners.get(type) ?? []) try { fn(...args); } catch (error) { reportError(error); }
  };
  const now = () => performance.now();
  const between = (low, high) => low + Math.random() * (high - low);

  const link = document.getElementById('live');
  const frame = document.getElementById('frame');
  const base = link?.getAttribute('hx-ws:connect').replace(/live$/, '') ?? '';
  let epoch = frame?.dataset.epoch ?? '', applied = Number(frame?.dataset.to ?? 0), mineAt = applied;
  let connection = null, isOpen = false, wasOpen = false, timer = 0, stopped = null, wantsWhole = false, isWanted = false;
  let head = null, behindSince = 0, isCurrent = false, wasCurrent = false;
  let startedAt = now(), heardAt = 0, sentAt = 0, askedAt = -Infinity, probedAt = 0, polledAt = -Infinity, polledOkAt = -Infinity;
  let failures = 0, refusals = 0, lastState = '', askTimer = 0, waiters = [];

  function send(message) {
    const socket = connection?.socket;
    if (!isOpen || socket?.readyState !== WebSocket.OPEN) return false;
    socket.send(JSON.stringify(message));
    sentAt = now();
    return true;
  }

  /* --- the guard --- */

  function verdict(next, hasRows) {
    if (next.epoch !== epoch) return next.from === 0 ? 'apply' : 'gap';
    if (next.to <= applied) return wantsWhole && next.from === 0 && next.to === applied ? 'apply' : 'old';
    // Rows are those that differ from how they stood at `from`: one that changed and changed back is not among them,
    // though a screen that is further on still shows it changed.
    return next.from === applied || (next.from < applied && !hasRows) ? 'apply' : 'gap';
  }

  const isWholeLine = ({ target, swapSpec }) => target?.id === 'queue' && swapSpec.style === 'outerMorph';

  function judge({ epoch: itsEpoch, from, to }, tasks, ctx) {
    const next = { epoch: itsEpoch, from: Number(from), to: Number(to) };
    ctx.to = next.to;
    const ruling = verdict(next, /id="queue-item-/.test(ctx.text) && !tasks.some(isWholeLine));
    const isSame = next.epoch === epoch;
    if (ruling === 'apply') {
      if (!isSame) mineAt = 0;
      epoch = next.epoch;
      applied = next.to;
      if (next.from === 0) wantsWhole = false;
    }
    // Two answers may come back in the wrong order; what is personal has no number of its own.
    const isLateMine = next.to < mineAt || (ruling === 'gap' && !isSame);
    const stays = (task) => {
      const id = task.target?.id;
      if (id === 'mine' && isLateMine) return false;
      return ruling === 'apply' || PERSONAL.includes(id);
    };
    tasks.splice(0, tasks.length, ...tasks.filter(stays));
    if (!isLateMine && tasks.some((task) => task.target?.id === 'mine')) mineAt = next.to;
    // What a command's answer lacks is mostly on its way through the socket already.
    if (ruling === 'gap') setTimeout(() => { if (!isSame || applied < next.to) ask(); }, ctx.request && isOpen ? SOON_MS : 0);
    return ruling === 'apply';
  }

  document.addEventListener('htmx:before:swap', ({ detail: { ctx, tasks } }) => {
    // Morphing keeps focus and happens in one go; replacing settles a moment later and lets two frames interleave.
    for (const task of tasks) if (task.type === 'oob' && task.swapSpec.style === 'outerHTML') task.swapSpec.style = 'outerMorph';
    const data = tasks.find((task) => task.target?.id === 'frame')?.fragment.firstElementChild?.dataset;
    if (data && !judge(data, tasks, ctx)) return;
    if (!data && tasks.some((task) => task.target?.id === 'mine')) mineAt = applied;
    emit('before', tasks, ctx.text ?? '');
    refresh();
  });
  document.addEventListener('htmx:after:swap', () => {
    emit('after');
    const due = waiters.filter(({ number }) => number <= applied);
    waiters = waiters.filter(({ number }) => number > applied);
    for (const { act } of due) act();
  });

  /** Run `act` once the screen has reached the number, and after a while in any case. */
  function reached(number, act) {
    if (!(number > applied)) { act(); return; }
    const waiter = { number, act };
    waiters.push(waiter);
    setTimeout(() => { if (waiters.includes(waiter)) { waiters.splice(waiters.indexOf(waiter), 1); act(); } }, ANSWER_MS);
  }

  /** Ask for what is missing; with `whole`, for everything. */
  function ask(whole = false) {
    if (whole) wantsWhole = true;
    const wait = askedAt + ASK_EVERY_MS - now();
    if (wait > 0) { askTimer ||= setTimeout(() => { askTimer = 0; if (wantsWhole || isBehind() || !isCurrent) ask(); }, wait); return; }
    askedAt = now();
    if (!send({ t: 'sync', ...position() })) poll();
  }

  /** What the server is told we have; nothing at all when we want everything. */
  const position = () => (wantsWhole ? { epoch: '', after: 0 } : { epoch, after: applied });

  async function poll() {
    if (!link || stopped) return;
    polledAt = now();
    await htmx.ajax('GET', `${base}changes`, { source: link, target: link, swap: 'none' });
  }
  document.addEventListener('htmx:after:request', ({ detail: { ctx } }) => {
    if (ctx.sourceElement === link && ctx.response.status < 400) { polledOkAt = now(); refresh(); }
  });

  /* --- listening --- */

  document.addEventListener('htmx:ws:before:message:incoming', (event) => {
    heardAt = now();
    failures = 0;
    const { data } = event.detail.message;
    const isJson = typeof data === 'string' && data.startsWith('{');
    if (isJson) {
      event.preventDefault();
      const message = readJson(data);
      if (message?.t === 'head') seeHead(message);
      if (message?.t) emit(message.t, message);
    }
    isCurrent = wasCurrent = true;
    refresh();
  });

  function readJson(text) {
    try { return JSON.parse(text); } catch { return null; }
  }

  const isBehind = () => head !== null && (head.epoch !== epoch || head.seq > applied);

  function seeHead(message) {
    head = message;
    if (!isBehind()) { behindSince = 0; return; }
    if (head.epoch !== epoch) ask();
    behindSince ||= now();
    setTimeout(() => { if (behindSince && isBehind()) { ask(); refresh(); } }, BEHIND_MS);
  }

  /* --- connecting --- */

  document.addEventListener('htmx:ws:before:connection', ({ detail }) => {
    connection = detail.connection;
    // hx-ws would reconnect by its own clock and give up on some codes; both are decided here.
    Object.assign(connection.config, { reconnect: false, pauseOnBackground: false });
    const url = new URL(connection.url);
    url.searchParams.set('epoch', epoch);
    url.searchParams.set('after', applied);
    if (isWanted) url.searchParams.set('here', '1');
    isWanted = false;
    connection.url = url.href;
    startedAt = now();
  });
  document.addEventListener('htmx:ws:after:connection', ({ detail }) => {
    if (detail.connection !== connection) return;
    clearTimeout(timer);
    timer = 0;
    isOpen = wasOpen = true;
    isCurrent = false;
    heardAt = sentAt = now();
    setTimeout(() => { if (isOpen && !isCurrent) ask(); }, BEHIND_MS);
    emit('open');
    refresh();
  });
  document.addEventListener('htmx:ws:close', ({ detail }) => {
    if (detail.connection === connection && detail.reason === 'closed') lost(detail.code);
  });

  function connect() {
    clearTimeout(timer);
    timer = 0;
    isOpen = isCurrent = false;
    probedAt = 0;
    startedAt = now();
    // Processing anew is the one way hx-ws offers to open a fresh socket on the same element.
    htmx.process(link, true);
    refresh();
  }

  function lost(code) {
    isOpen = isCurrent = false;
    connection = null;
    emit('close', code);
    if (STOPS[code]) return stop(STOPS[code]);
    failures += 1;
    if (code === 4400 && ++refusals > 1) return location.reload();
    clearTimeout(timer);
    timer = setTimeout(connect, delay(code, failures));
    refresh();
  }

  function delay(code, attempt) {
    if (code === 4429) return between(30000, 60000);
    if (code === 1013) return between(2000, 4000 * 2 ** Math.min(attempt, 3));
    // A restart tells everybody at once: spread them. A lost line is usually one person's own.
    if (attempt === 1) return code === 1012 ? between(0, 4000) : between(125, 375);
    return between(100, Math.min(LONGEST_DELAY_MS, 500 * 2 ** attempt));
  }

  function stop(reason) {
    stopped = reason;
    refresh();
    emit('stop', reason);
  }

  /** “Use it here”: the server lets this screen in and closes the one opened first. */
  function resume() {
    stopped = null;
    isWanted = true;
    failures = 0;
    connect();
  }

  /* --- the pulse --- */

  let wallAt = Date.now(), tickAt = now();
  function tick() {
    // Timers that stood still mean the machine slept: what we think we heard last says nothing.
    const slept = Date.now() - wallAt > 5000 || now() - tickAt > 5000;
    wallAt = Date.now();
    tickAt = now();
    if (stopped) return;
    if (slept) wake();
    if (isOpen) {
      const isUnanswered = probedAt > heardAt && now() - probedAt > ANSWER_MS;
      if (isUnanswered || (now() - heardAt > DEAD_MS && !slept)) connect();
      else if (now() - sentAt >= BEAT_MS) send({ t: 'beat' });
    } else if (!timer && now() - startedAt > OPENING_MS) lost(1006);
    if (wantsWhole && now() - askedAt > ANSWER_MS) ask();
    if (failures >= 3 && navigator.onLine && now() - polledAt >= POLL_MS) poll();
    refresh();
  }

  function wake() {
    if (stopped || !link || !window.htmx) return;
    if (!isOpen) {
      if (!navigator.onLine) return;
      failures = 0;
      clearTimeout(timer);
      timer = setTimeout(connect, Math.max(0, 1000 - (now() - startedAt)));
      return;
    }
    probedAt = now();
    send({ t: 'clock', id: 0, c: probedAt, rtt: null });   // the one question that is always answered
  }

  function state() {
    if (stopped) return stopped === 'elsewhere' ? 'offline' : 'ended';
    if (!navigator.onLine) return 'offline';
    if (!isOpen) return wasOpen || failures ? 'reconnecting' : 'connecting';
    if (!isCurrent) return wasCurrent ? 'catching-up' : 'connecting';
    const isLate = behindSince && isBehind() && now() - behindSince > BEHIND_MS;
    if (!isBehind()) behindSince = 0;
    return isLate || wantsWhole || now() - heardAt > SILENT_MS ? 'catching-up' : 'live';
  }

  /** True when what stands on the screen is recent enough to act upon: live, or polled a moment ago. */
  const isFresh = () => state() === 'live' || (!stopped && navigator.onLine && now() - polledOkAt < 8000);

  function refresh() {
    const next = state();
    const mark = `${next} ${isFresh()} ${stopped}`;
    if (mark === lastState) return;
    lastState = mark;
    emit('state', next);
  }

  window.partyline = {
    send, on, emit, base, link, state, isFresh, ask, resume, stop,
    applied: () => applied,
    position,
    reached,
    stopped: () => stopped,
  };
  if (!link) return;

  setInterval(tick, 1000);
  addEventListener('online', () => { wake(); refresh(); });
  addEventListener('offline', refresh);
  addEventListener('pageshow', (event) => { if (event.persisted) wake(); });
  document.addEventListener('visibilitychange', () => { if (!document.hidden) wake(); });
  addEventListener('DOMContentLoaded', () => {
    // Walking back in history would refetch and replace the whole body, and the music with it.
    if (window.htmx) htmx.config.history = false;
  });
  // Should htmx have started before this script or before hx-ws, the socket is missing or carries no number.
  addEventListener('load', () => setTimeout(() => { if (!connection && !stopped) connect(); }));
})();

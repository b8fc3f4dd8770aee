/* News about one's own wishes, told once: the controls lent, kept or back, and what was said to a suggestion. */
(() => {
  const { partyline } = window;
  if (!partyline.link) return;
  const byId = (id) => document.getElementById(id);
  const own = () => byId('mine')?.dataset ?? {};
  const isDriving = ({ role }) => role === 'driver';
  const mayControl = () => byId('playback')?.dataset.canControl === 'true';
  let before = { ...own() }, pausedBy = byId('now-playing')?.dataset.pausedBy ?? '', timer = 0;

  function answers({ answers: text }) {
    try { return text ? JSON.parse(text) : []; } catch { return []; }
  }
  const told = new Set(answers(before).map(([id]) => id));

  function tellAnswers(next) {
    for (const [id, state, title, by, reason] of answers(next).reverse()) {
      if (told.has(id)) continue;
      told.add(id);
      const isOn = state === 'approved';
      const words = isOn ? `${by} let ${title} onto the line.` : `${by} declined ${title}${reason ? `: ${reason}` : '.'}`;
      partyline.toast(words, { isBad: !isOn && Boolean(reason) });
      partyline.say(words);
    }
  }

  function tellControls(next) {
    if (isDriving(next) && !isDriving(before)) {
      const minutes = Math.ceil((Number(next.controlsUntil) - (partyline.clock?.now() || Date.now())) / 60000);
      partyline.toast(`The controls are yours, for ${minutes} minutes at most.`);
    } else if (isDriving(before) && next.role === 'guest') partyline.toast('The controls went back to the host.');
    else if (before.role === 'guest' && next.role === 'cohost') partyline.toast('You’re a co-host now.');
    else if (before.asking && !next.asking && next.role === 'guest' && !mayControl() && !isStopping) {
      partyline.toast('The host keeps the controls for now.');
    }
    isStopping = false;
  }

  /** Whoever stops asking needs no telling. */
  let isStopping = false;
  document.addEventListener('htmx:config:request', ({ detail: { ctx } }) => {
    if (ctx.request.body?.get?.('wish') === 'stop') isStopping = true;
  });

  /** When the loan is over the buttons go, also where nobody else does anything just then. */
  function planEnd({ controlsUntil }) {
    clearTimeout(timer);
    const left = Number(controlsUntil) - (partyline.clock?.now() || Date.now());
    if (controlsUntil && left > 0) timer = setTimeout(() => partyline.ask(true), left + 500);
  }

  partyline.on('after', () => {
    const next = { ...own() };
    if (next.answers !== before.answers) tellAnswers(next);
    if (next.role !== before.role || next.asking !== before.asking) tellControls(next);
    if (next.controlsUntil !== before.controlsUntil) planEnd(next);
    before = next;
    const by = byId('now-playing')?.dataset.pausedBy ?? '';
    if (by && by !== pausedBy) partyline.say(`Paused by ${by}`);
    pausedBy = by;
  });
  planEnd(before);
})();

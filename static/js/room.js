/*
 * What the room says about itself: the word of the connection, which controls may be used, the colour, the title,
 * the countdown while the host is away, notes, and one polite line at a time for those who listen.
 */
(() => {
  const { partyline } = window;
  const byId = (id) => document.getElementById(id);
  const NOTE_MS = 8000, UNDO_MS = 10000, GATHER_MS = 4000;

  /* --- notes and the announcer --- */

  function say(text) {
    const announcer = byId('announcer');
    if (!announcer) return;
    announcer.textContent = '';
    setTimeout(() => { announcer.textContent = text; }, 50);
  }

  function toast(text, { isBad = false, action = '', onAction = null, stays = false } = {}) {
    const box = byId('toast').content.firstElementChild.cloneNode(true);
    box.classList.toggle('toast--bad', isBad);
    box.classList.toggle('toast--plain', !action);
    if (isBad) box.setAttribute('role', 'alert');
    box.querySelector('span').textContent = text;
    if (action) {
      const button = document.createElement('button');
      Object.assign(button, { type: 'button', className: 'btn--toast', textContent: action });
      button.addEventListener('click', () => { box.remove(); onAction?.(); });
      box.append(button);
    }
    const same = [...byId('toasts').children].find((other) => other.querySelector('span')?.textContent === text);
    same?.remove();
    byId('toasts').append(box);
    if (!stays) setTimeout(() => box.remove(), NOTE_MS);
    return box;
  }
  Object.assign(partyline, { say, toast });
  if (!partyline.link) return;

  let noticeTimer = 0;
  function fadeNotice() {
    clearTimeout(noticeTimer);
    noticeTimer = setTimeout(() => {
      const notice = byId('notice');
      if (notice.matches(':hover, :focus-within')) fadeNotice(); else notice.replaceChildren();
    }, UNDO_MS);
  }

  /* --- the connection's word --- */

  const WORDS = {
    connecting: 'Connecting', live: 'In sync', 'catching-up': 'Catching up', reconnecting: 'Reconnecting', offline: 'Offline',
    ended: 'This party is over', 'signed-out': 'Signed out', removed: 'Removed', over: 'This party is over', elsewhere: 'Open elsewhere',
  };
  const PILLS = { live: 'pill--live', offline: 'pill--off', ended: 'pill--off' };

  function paintStatus(status, state = partyline.state()) {
    if (!status) return;
    const isOver = status.dataset.state === 'EXPIRED';
    const shown = isOver ? 'ended' : state;
    const word = WORDS[isOver ? 'ended' : partyline.stopped() ?? state];
    status.dataset.connection = shown;
    for (const pill of ['pill--live', 'pill--wait', 'pill--off']) status.classList.toggle(pill, pill === (PILLS[shown] ?? 'pill--wait'));
    const text = status.querySelector('.pill__word');
    if (text && text.textContent !== word) text.textContent = word;
  }

  /* --- controls that act on an order or a moment are off unless the screen is up to date --- */

  const ORDERED = '[id^="grip-"], #transport button:not([popovertarget]), #seek, .mini__controls button, #settings [name="mode"]';
  const shut = new WeakSet();

  function setControls() {
    const isOff = !partyline.isFresh();
    for (const control of document.querySelectorAll(ORDERED)) {
      if (isOff && !control.disabled) {
        // Disabling what has the focus would throw it away; commands.js refuses the press instead.
        if (control === document.activeElement) { control.setAttribute('aria-disabled', 'true'); continue; }
        control.disabled = true;
        shut.add(control);
      } else if (!isOff) {
        control.removeAttribute('aria-disabled');
        if (shut.delete(control)) control.disabled = false;
      }
    }
  }

  /** The settings drawer is no fragment; which mode is on stands beside the line. */
  function checkMode() {
    const choice = document.querySelector(`#settings [name="mode"][value="${byId('queue-sum').dataset.mode}"]`);
    if (choice) choice.checked = true;
  }

  const ENDINGS = {
    'signed-out': ['You’re signed out here.', 'Come back in', () => location.reload()],
    removed: ['You were taken off this line.', 'Home', () => location.assign('/')],
    elsewhere: ['This room is open on too many of your screens.', 'Use it here', partyline.resume],
  };
  function end(reason) {
    if (reason === 'over') return flip();
    const [text, action, onAction] = ENDINGS[reason];
    toast(text, { action, onAction, stays: true, isBad: true });
  }

  /** The room is over: the page becomes its memory. Once, should the server still think otherwise. */
  function flip() {
    const mark = `partyline-over:${partyline.base}`;
    try {
      if (Date.now() - Number(sessionStorage.getItem(mark)) < 30000) return;
      sessionStorage.setItem(mark, String(Date.now()));
    } catch { return; }
    location.reload();
  }

  /* --- colour, title, what changed --- */

  const roomName = () => document.querySelector('.bar__name')?.textContent.trim() ?? '';
  let touched = new Set(), nets = new Map(), gathered = new Map(), gatherTimer = 0, playing = byId('playback')?.dataset.item;

  function paintRoom() {
    const hue = byId('now-playing')?.dataset.hue;
    const name = `hue-${hue}`;
    if (hue && !document.body.classList.contains(name)) {
      for (const old of [...document.body.classList].filter((one) => /^hue-/.test(one))) document.body.classList.remove(old);
      document.body.classList.add(name);
    }
    const { title, item } = byId('playback')?.dataset ?? {};
    document.title = title && item ? `${title} · ${roomName()}` : `${roomName()} · Partyline`;
  }

  function announcePlaying() {
    const { item, title, artist } = byId('playback').dataset;
    if (item !== playing && item) say(`Now playing: ${title} by ${artist}`);
    playing = item;
  }

  /** Counts bump; what they came to is told in one line every few seconds. */
  function tellVotes() {
    for (const [id, net] of nets) {
      const row = byId(`queue-item-${id}`), box = byId(`vote-${id}`);
      if (!row || !box) continue;
      box.classList.add('is-bumped');
      setTimeout(() => box.classList.remove('is-bumped'), 400);
      gathered.set(row.querySelector('.track__title')?.textContent.trim(), net);
    }
    nets = new Map();
    if (!gathered.size || gatherTimer) return;
    gatherTimer = setTimeout(() => {
      const lines = [...gathered].slice(0, 3).map(([title, net]) => `${title} ${net}`);
      say(`Votes: ${lines.join(', ')}${gathered.size > 3 ? ` and ${gathered.size - 3} more` : ''}`);
      gathered = new Map();
      gatherTimer = 0;
    }, GATHER_MS);
  }

  /* --- the host is away --- */

  let until = 0, whole = 1, told = '';

  function serverNow() {
    const told = partyline.clock?.now();
    return Number.isFinite(told) ? told : Date.now();
  }

  function countDown() {
    const time = document.querySelector('#banner [data-until-ms]');
    if (!time) { until = 0; told = ''; return; }
    const next = Number(time.dataset.untilMs), left = Math.max(0, next - serverNow());
    if (next !== until) [until, whole, told] = [next, Math.max(left, 1), ''];
    const seconds = Math.ceil(left / 1000), text = `in ${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
    if (time.textContent !== text) time.textContent = text;
    document.querySelector('#banner .grace__left')?.setAttribute('stroke-dasharray', `${(100 * left / whole).toFixed(1)} 100`);
    const moment = left === 0 ? 'end' : left <= 60000 ? 'minute' : 'start';
    if (moment === told) return;
    told = moment;
    const minutes = Math.round(seconds / 60);
    const then = document.querySelector('#banner .grace__then')?.textContent ?? 'the party ends';
    say({ start: `The host stepped away. In ${minutes} minutes ${then}.`, minute: `In one minute ${then}.`, end: 'The time is up.' }[moment]);
  }

  /* --- when --- */

  partyline.on('before', (tasks) => {
    for (const { target, fragment, swapSpec } of tasks) {
      const next = fragment.firstElementChild;
      touched.add(target?.id);
      if (target?.id === 'status') paintStatus(next);
      const isRow = target?.id?.startsWith('queue-item-') && swapSpec.style !== 'delete';
      if (isRow && next.dataset.net !== target.dataset.net) nets.set(target.id.slice('queue-item-'.length), next.dataset.net);
    }
  });
  partyline.on('after', () => {
    const changed = touched;
    touched = new Set();
    paintStatus(byId('status'));
    setControls();
    if (changed.has('notice')) fadeNotice();
    if (changed.has('banner')) countDown();
    if (changed.has('queue-sum')) checkMode();
    if (changed.has('now-playing') || changed.has('playback')) paintRoom();
    tellVotes();
    if (changed.has('playback')) { announcePlaying(); document.dispatchEvent(new CustomEvent('partyline:playback')); }
    if (byId('status')?.dataset.state === 'EXPIRED') flip();
  });
  partyline.on('command', (ctx, result) => { if (result !== 'done') checkMode(); });
  partyline.on('state', (state) => { paintStatus(byId('status'), state); setControls(); checkMode(); });
  partyline.on('stop', end);
  setInterval(countDown, 1000);
  paintStatus(byId('status'));
  setControls();
  paintRoom();
  countDown();
  if (byId('notice')?.childElementCount) fadeNotice();
})();

/*
 * The chat: lines are put at the end once each, typed text and the place of somebody reading back stay theirs, what is
 * sent shows at once and waits for its answer. Nothing here makes HTML from words.
 */
(() => {
  const { partyline } = window;
  const byId = (id) => document.getElementById(id);
  const list = () => byId('chat-list'), log = () => byId('chat-log'), form = () => byId('chat-form'), field = () => byId('chat-text');
  if (!list() || !partyline.link) return;
  const NEAR_PX = 48, TOGETHER_MS = 300_000, MOST_LINES = 400, TYPING_EVERY_MS = 3000, TYPING_MS = 6000;
  const KEPT = ['message-menu', 'chat-jump', 'chat-reply', 'chat-typing', 'chat-fold'];
  const me = () => byId('mine')?.dataset ?? {};
  const isLine = (el) => /^(message|note)-\d+$/.test(el?.id ?? '');
  const isMine = (row) => row.dataset.by === me().member;
  const storage = {
    get(key) { try { return sessionStorage.getItem(`${partyline.base}${key}`) ?? ''; } catch { return ''; } },
    set(key, value) { try { sessionStorage.setItem(`${partyline.base}${key}`, value); } catch { /* private window */ } },
  };

  /* --- what comes in --- */

  let wasAtEnd = true, heightBefore = 0, topBefore = 0, isOlder = false, fresh = [], firstNew = null, unread = 0, isMeant = false;

  const isAtEnd = () => { const box = log(); return box.scrollHeight - box.scrollTop - box.clientHeight < NEAR_PX; };
  const isShown = () => list().offsetParent !== null;
  const isRead = () => isShown() && !document.hidden && wasAtEnd;

  partyline.on('before', (tasks) => {
    if (!tasks.some(({ target }) => target?.id === 'chat' || target === list() || isLine(target))) return;
    if (isShown()) wasAtEnd = isAtEnd();
    heightBefore = log().scrollHeight;
    topBefore = log().scrollTop;
    isOlder = false;
    for (const one of [...tasks]) {
      if (one.target?.id === 'chat') keepWhole(one.fragment.firstElementChild);
      else if (one.target === list()) takeLines(one, tasks);
    }
  });

  /** Lines that are here already show once: they are painted anew in their place. */
  function takeLines(one, tasks) {
    isOlder = one.swapSpec.style === 'afterbegin';
    const wrapper = one.fragment.firstElementChild;
    for (const row of [...(wrapper?.children ?? [])].filter(isLine)) {
      const known = byId(row.id);
      if (known) {
        const fragment = document.createDocumentFragment();
        fragment.append(row);
        tasks.push({ type: 'oob', fragment, target: known, swapSpec: { style: 'outerMorph', strip: false }, sourceElement: partyline.link });
        continue;
      }
      if (isOlder) continue;
      settle(row);
      fresh.push(row.id);
    }
    if (wrapper && !wrapper.childElementCount) tasks.splice(tasks.indexOf(one), 1);
  }

  /** The whole chat comes with its newest lines: the earlier ones that were fetched stay, and so does what hands hold. */
  function keepWhole(next) {
    const rows = [...next.querySelectorAll('#chat-list > li')], ids = new Set(rows.map((row) => row.id));
    const first = Math.min(...rows.filter((row) => row.dataset.by).map((row) => Number(row.id.slice(8))));
    const mine = [...list().children];
    const from = mine.findIndex((row) => row.dataset.by && Number(row.id.slice(8)) >= first);
    const earlier = mine.slice(0, Math.max(0, from)).filter((row) => isLine(row) && !ids.has(row.id));
    if (earlier.length) {
      next.querySelector('#chat-list').prepend(...earlier.map((row) => row.cloneNode(true)));
      next.querySelector('#chat-older')?.replaceWith(byId('chat-older').cloneNode(true));
    }
    next.querySelector('#chat-list').classList.toggle('is-folded', list().classList.contains('is-folded'));
    next.querySelector('#chat-list').append(...mine.filter((row) => row.classList.contains('msg--pending')));
    const known = new Set(mine.map((row) => row.id));
    for (const row of rows) if (!known.has(row.id)) { settle(row); fresh.push(row.id); }
    for (const id of KEPT) {
      const here = byId(id), there = next.querySelector(`#${id}`);
      if (here && there) there.replaceWith(here.cloneNode(true));
    }
  }

  partyline.on('after', () => {
    mark();
    const box = log();
    if (isOlder) { box.scrollTop = topBefore + box.scrollHeight - heightBefore; isOlder = false; }
    const news = fresh.map(byId).filter(Boolean);
    fresh = [];
    if (news.length) hear(news);
    if (wasAtEnd && isShown()) toEnd();
    if (wasAtEnd) trim();
  });

  function hear(rows) {
    const others = rows.filter((row) => row.dataset.by && !isMine(row));
    for (const row of rows) typists.delete(row.dataset.by);
    paintTyping();
    if (rows.some(isMine)) wasAtEnd = true;
    const meant = others.filter((row) => row.classList.contains('is-mention'));
    for (const row of meant) partyline.say(`${nameIn(row)} wrote to you`);
    if (isRead() || !others.length) return;
    firstNew ??= others[0].id;
    unread += others.length;
    isMeant ||= meant.length > 0;
    paintUnread();
    mark();
  }

  const nameIn = (row) => row.querySelector('.msg__who bdi')?.textContent ?? '';

  /** Somebody who follows needs no more lines than they can scroll through. */
  function trim() {
    const rows = [...list().children];
    if (rows.length <= MOST_LINES) return;
    for (const row of rows.slice(0, rows.length - MOST_LINES / 2)) row.remove();
    const back = byId('chat-back'), first = list().querySelector('[data-by]');
    if (back && first) back.setAttribute('hx-get', back.getAttribute('hx-get').replace(/before=\d+/, `before=${first.id.slice(8)}`));
  }

  /* --- how lines look --- */

  const clock = new Intl.DateTimeFormat([], { hour: 'numeric', minute: '2-digit' });
  const day = new Intl.DateTimeFormat([], { weekday: 'short', hour: 'numeric', minute: '2-digit' });

  function mark() {
    const { member } = me(), today = new Date().toDateString();
    let before = null;
    for (const row of list().children) {
      const { by, at, mentions } = row.dataset;
      const isMore = Boolean(by && before?.by === by && Number(at) - Number(before.at) < TOGETHER_MS && !row.querySelector('.msg__reply'));
      row.classList.toggle('is-more', isMore && !row.classList.contains('msg--action'));
      row.classList.toggle('is-mine', Boolean(by) && by === member);
      row.classList.toggle('is-mention', Boolean(member) && (mentions ?? '').split(' ').includes(member));
      row.classList.toggle('is-first-new', row.id === firstNew);
      before = by ? { by, at } : null;
      const time = row.querySelector('time');
      if (time && at) {
        const said = new Date(Number(at)), text = (said.toDateString() === today ? clock : day).format(said);
        if (time.textContent !== text) time.textContent = text;
      }
      for (const sign of row.querySelectorAll('.sign')) {
        sign.setAttribute('aria-pressed', String(sign.dataset.members.split(' ').includes(member)));
      }
    }
    paintMuted();
  }

  const mutedWords = (until) => (until - Date.now() > 30 * 86_400_000 ? 'You are muted' : `Muted until ${clock.format(new Date(until))}`);

  function paintMuted() {
    const until = Number(me().mutedUntil || 0), input = field();
    if (!input) return;
    const isMuted = until > Date.now();
    input.disabled = isMuted;
    input.placeholder = isMuted ? mutedWords(until) : 'Say something';
    if (isMuted) setTimeout(paintMuted, Math.min(until - Date.now() + 500, 60_000));
  }

  /* --- read and unread --- */

  function toEnd() {
    log().scrollTop = log().scrollHeight;
    wasAtEnd = true;
    if (!document.hidden) read();
  }

  function read() {
    unread = 0;
    isMeant = false;
    paintUnread();
  }

  function paintUnread() {
    byId('chat-jump').hidden = !unread || !isShown();
    const tab = document.querySelector('#tabs [data-tab="people"]');
    if (!tab) return;
    tab.classList.toggle('has-new', unread > 0);
    tab.classList.toggle('has-mention', isMeant);
    let words = tab.querySelector('.tabs__words');
    if (!words) { words = Object.assign(document.createElement('span'), { className: 'sr tabs__words' }); tab.append(words); }
    words.textContent = unread ? `, ${unread} new ${unread === 1 ? 'message' : 'messages'}` : '';
  }

  /** The line stays until its reader has written or gone: they want to see where they were. */
  function forgetLine() { firstNew = null; mark(); }

  document.addEventListener('scroll', ({ target }) => {
    if (target !== log()) return;
    wasAtEnd = isAtEnd();
    if (wasAtEnd && !document.hidden) read();
    if (target.scrollTop < 120) goBack();
  }, { capture: true, passive: true });
  let backAt = 0;
  function goBack() {
    const back = byId('chat-back');
    if (!back || Date.now() - backAt < 1000) return;
    backAt = Date.now();
    htmx.ajax('GET', back.getAttribute('hx-get'), { source: partyline.link, target: partyline.link, swap: 'none' });
  }
  new MutationObserver(() => { if (isShown()) { if (wasAtEnd) toEnd(); else paintUnread(); } })
    .observe(document.body, { attributes: true, attributeFilter: ['data-tab'] });
  // A phone's keyboard takes room: what was said last stays in sight.
  addEventListener('resize', () => { if (isShown() && wasAtEnd) log().scrollTop = log().scrollHeight; });
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) { if (!unread) forgetLine(); } else if (isShown() && isAtEnd()) read();
  });
  document.addEventListener('click', (event) => {
    const { target } = event;
    if (target.closest('#chat-jump')) { toEnd(); field()?.focus({ preventScroll: true }); }
    if (target.closest('#chat-fold')) fold(!list().classList.contains('is-folded'));
    const quote = target.closest('.msg__reply a');
    if (quote) {
      event.preventDefault();
      byId(quote.hash.slice(1))?.scrollIntoView({ block: 'center' });
    }
  });

  function fold(isFolded) {
    list().classList.toggle('is-folded', isFolded);
    byId('chat-fold').setAttribute('aria-pressed', String(isFolded));
    storage.set('folded', isFolded ? 'yes' : '');
    if (wasAtEnd) toEnd();
  }

  /* --- saying something --- */

  const keys = new WeakMap(), texts = new WeakMap();
  const newKey = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');

  document.addEventListener('submit', (event) => {
    if (event.target !== form()) return;
    event.preventDefault();
    const text = field().value.trim(), reply = byId('chat-reply-to').value;
    if (!text) { field().focus(); return; }
    if (!navigator.onLine) { partyline.toast('You’re offline. Your words stay here until you’re back.'); return; }
    field().value = '';
    storage.set('draft', '');
    endReply();
    forgetLine();
    send(pending(text, reply));
  }, true);

  function pending(text, reply) {
    const row = byId('chat-pending').content.firstElementChild.cloneNode(true);
    row.querySelector('.msg__text').textContent = text;
    // What stands after a slash says nothing.
    row.hidden = text.startsWith('/') && !text.startsWith('//');
    keys.set(row, newKey());
    texts.set(row, { text, reply });
    list().append(row);
    toEnd();
    return row;
  }

  function send(row) {
    row.classList.remove('is-lost');
    row.querySelector('.msg__state').textContent = 'Sending';
    const { text, reply } = texts.get(row);
    const values = reply ? { text, reply_to: reply } : { text };
    htmx.ajax('POST', form().getAttribute('action'), { source: row, target: partyline.link, swap: 'none', values });
  }

  // After commands.js: the same words keep their key, so that trying again never says them twice.
  document.addEventListener('htmx:config:request', ({ detail: { ctx } }) => {
    const key = keys.get(ctx.sourceElement);
    if (key) ctx.request.headers['Idempotency-Key'] = key;
  });
  partyline.on('command', (ctx, result) => {
    const row = ctx.sourceElement;
    if (!texts.has(row)) return;
    if (result === 'done') { row.remove(); return; }
    const { text, reply } = texts.get(row);
    if (result === 'refused') {
      row.remove();
      giveBack(text, reply);
      return;
    }
    row.hidden = false;
    row.classList.add('is-lost');
    const again = Object.assign(document.createElement('button'), { type: 'button', className: 'msg__again', textContent: 'Try again' });
    again.addEventListener('click', () => send(row));
    row.querySelector('.msg__state').replaceChildren('Not sent. ', again);
  });

  /** Refused words go back to where they were typed, unless something else stands there by now. */
  function giveBack(text, reply) {
    const input = field();
    if (!input || input.value) return;
    input.value = text;
    if (reply) startReply(byId(`message-${reply}`));
  }

  /** The line of what was sent has come: what stood in for it goes. */
  function settle(row) {
    if (!isMine(row)) return;
    const words = row.querySelector('.msg__text')?.textContent ?? '';
    const same = (text) => text.replace(/^\/me |^\//, '').replace(/\s+/g, ' ') === words.replace(/\s+/g, ' ');
    const stand = [...list().querySelectorAll('.msg--pending')].find((one) => texts.has(one) && same(texts.get(one).text));
    if (stand) stand.hidden = true;
  }

  document.addEventListener('keydown', (event) => {
    if (event.target !== field() || event.isComposing) return;
    if (event.key === 'Enter' && !event.shiftKey) { event.preventDefault(); form().requestSubmit(); }
    if (event.key === 'Escape' && byId('chat-reply-to').value) { event.preventDefault(); event.stopPropagation(); endReply(); }
  }, true);

  let typedAt = 0;
  document.addEventListener('input', ({ target }) => {
    if (target !== field()) return;
    storage.set('draft', target.value);
    if (!target.value || target.value.startsWith('/') || Date.now() - typedAt < TYPING_EVERY_MS) return;
    typedAt = Date.now();
    partyline.send({ t: 'typing' });
  });

  /* --- answering, reacting, deleting --- */

  let chosen = null;

  function startReply(row) {
    if (!row || !form() || form().hidden) return;
    byId('chat-reply-to').value = row.id.slice(8);
    byId('chat-reply-name').textContent = nameIn(row);
    byId('chat-reply').hidden = false;
    field().focus();
  }
  function endReply() {
    byId('chat-reply-to').value = '';
    byId('chat-reply').hidden = true;
  }
  document.addEventListener('click', ({ target }) => { if (target.closest('#chat-reply-end')) { endReply(); field().focus(); } });

  // Before the menu opens (ui.js), it is told whose message it is about.
  document.addEventListener('click', (event) => {
    const button = event.target.closest('[data-menu="message-menu"]');
    if (!button) return;
    const { moderates, reacts } = byId('chat').dataset;
    chosen = button.closest('.msg');
    byId('message-signs').hidden = !reacts;
    for (const one of byId('message-signs').children) one.hidden = !reacts;
    byId('message-answer').hidden = form().hidden;
    byId('message-delete').hidden = !(moderates || isMine(chosen));
    // Somebody who only watches has nothing to choose.
    if ([...byId('message-menu').querySelectorAll('[role="menuitem"]')].every((one) => one.hidden)) event.stopPropagation();
  }, true);
  document.addEventListener('partyline:menu', ({ target, detail: { item } }) => {
    const row = target.closest('.msg');
    if (!row || !item.closest('#message-menu')) return;
    if ('answer' in item.dataset) startReply(row);
    else if ('delete' in item.dataset) ask('DELETE', row, '');
    else if (item.dataset.sign) sign(row, item.dataset.sign);
  });

  const address = (row) => `${partyline.base}messages/${row.id.slice(8)}`;
  const ask = (method, row, path, values) => htmx.ajax(method, `${address(row)}${path}`, {
    source: byId(`message-more-${row.id.slice(8)}`) ?? partyline.link, target: partyline.link, swap: 'none', values,
  });
  const signOf = (row, emoji) => [...row.querySelectorAll('.sign')].find((one) => one.value === emoji);

  function sign(row, emoji) {
    if (signOf(row, emoji)?.getAttribute('aria-pressed') === 'true') ask('DELETE', row, `/reactions?emoji=${encodeURIComponent(emoji)}`);
    else ask('POST', row, '/reactions', { emoji });
  }
  // A sign of one's own is taken back by pressing it again.
  document.addEventListener('submit', (event) => {
    const button = event.target.querySelector?.('.sign[aria-pressed="true"]');
    if (!button) return;
    event.preventDefault();
    event.stopPropagation();
    sign(button.closest('.msg'), button.value);
  }, true);

  /* --- who is typing --- */

  const typists = new Map();
  partyline.on('typing', ({ ids }) => {
    const now = Date.now();
    typists.clear();
    for (const id of ids) if (String(id) !== me().member) typists.set(String(id), now + TYPING_MS);
    paintTyping();
    if (typists.size) setTimeout(paintTyping, TYPING_MS);
  });

  function paintTyping() {
    for (const [id, until] of typists) if (until <= Date.now()) typists.delete(id);
    const names = [...typists.keys()].map((id) => byId(`person-${id}`)?.querySelector('bdi')?.textContent).filter(Boolean);
    const others = typists.size - names.length;
    const box = byId('chat-typing');
    if (!box) return;
    let text = '';
    if (typists.size > 2) text = `${typists.size} people are typing`;
    else if (names.length === 2) text = `${names[0]} and ${names[1]} are typing`;
    else if (names.length && !others) text = `${names[0]} is typing`;
    else if (typists.size) text = 'Somebody is typing';
    if (box.textContent !== text) box.textContent = text;
    for (const row of document.querySelectorAll('#people .is-typing')) row.classList.remove('is-typing');
    for (const id of typists.keys()) byId(`person-${id}`)?.classList.add('is-typing');
  }

  /* --- at the start --- */

  if (storage.get('draft') && field()) field().value = storage.get('draft');
  if (storage.get('folded')) fold(true);
  mark();
  toEnd();
})();

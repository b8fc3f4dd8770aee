/* Acting on the line: votes that count at once, dragging, moving by keyboard or menu, removing. */
(() => {
  const { partyline } = window, { rows, mine, hand } = partyline;
  if (!rows) return;
  const THRESHOLD = 6, EDGE = 48;
  const byId = (id) => document.getElementById(id);
  const titleOf = (row) => row.querySelector('.track__title')?.textContent.trim() ?? '';
  const URLS = { vote: /\/queue\/(\d+)\/vote$/, removal: /\/queue\/(\d+)(?:\/removal)?$/ };
  const idIn = (kind, action) => URLS[kind].exec(new URL(action, location.href).pathname)?.[1];

  /* --- votes --- */

  const votes = new Map();   // item -> { want, sent, count, isOut } until the screen shows the answer
  const asText = (number) => String(number).replace('-', '−');

  function paintVote(id, value, count, isPending) {
    const box = byId(`vote-${id}`), number = box?.querySelector('.vote__count')?.lastChild;
    if (!number) return;
    if (number.data !== asText(count)) number.data = asText(count);
    box.classList.toggle('is-pending', isPending);
    mine.press(id, value);
  }

  function castVote(event, ctx, id) {
    const { request } = ctx, value = Number(request.body.get('value')), known = votes.get(id);
    const shown = known?.want ?? mine.vote(id), shownCount = known?.count ?? Number(rows.rowOf(id)?.dataset.net);
    const want = ctx.isRepeat || value !== shown ? value : 0;
    const mustWait = known?.isOut && !ctx.isRepeat;
    const count = shownCount + want - shown;
    votes.set(id, { want, count, sent: mustWait ? known.sent : want, isOut: true });
    paintVote(id, want, count, true);
    if (mustWait) event.preventDefault();
    else if (!want) { request.method = 'DELETE'; request.body.delete('value'); }
  }

  function answerVote(ctx, id, result) {
    const vote = votes.get(id), form = byId(`vote-${id}`)?.querySelector('form');
    if (!vote) return;
    if (result === 'done' && vote.want !== vote.sent && form) { repeatVote(form, ctx, vote.want); return; }
    vote.isOut = false;
    partyline.reached(ctx.to, () => {
      if (votes.get(id) !== vote) return;
      votes.delete(id);
      const row = rows.rowOf(id);
      if (row) paintVote(id, mine.vote(id), Number(row.dataset.net), false);
      rows.answered(id);
    });
  }

  // htmx frees the form's place in its queue only after this event.
  const repeatVote = (form, ctx, want) => setTimeout(() => htmx.ajax('POST', ctx.request.action, {
    source: form, target: partyline.link, swap: 'none', values: { value: want }, isRepeat: true,
  }));

  /* --- every command about a row --- */

  document.addEventListener('htmx:config:request', (event) => {
    const { ctx } = event.detail, { action, method } = ctx.request;
    if (event.defaultPrevented || method === 'GET' || !action.includes('/queue/')) return;
    const voted = idIn('vote', action), removed = idIn('removal', action);
    if (voted) castVote(event, ctx, voted);
    else if (removed) rows.dismiss(removed);
  });
  partyline.on('command', (ctx, result) => {
    const { action } = ctx.request;
    const voted = idIn('vote', action), removed = idIn('removal', action);
    answeredTo = ctx.to ?? 0;
    if (voted) answerVote(ctx, voted, result);
    else if (removed) rows.restore(removed);
  });

  /* --- moving --- */

  let answeredTo = 0;        // the number the latest answered command led to
  const moves = new Map();   // item -> the last place asked for while one is being answered

  async function post(id, after) {
    if (moves.has(id)) { moves.set(id, after); return; }
    moves.set(id, null);
    hand.expect(1);
    await htmx.ajax('POST', `${partyline.base}queue/${id}/move`, {
      source: byId(`grip-${id}`) ?? partyline.link, target: partyline.link, swap: 'none', values: { after },
    });
    const next = moves.get(id);
    moves.delete(id);
    if (next !== null && rows.rowOf(id)) post(id, next);
    partyline.reached(answeredTo, () => {
      hand.expect(-1);
      rows.answered(id);
    });
  }

  const idAbove = (row) => { const above = rows.neighbour(row, -1); return above ? rows.idOf(above) : ''; };

  function tellPlace(row) {
    const shown = rows.shown();
    partyline.say(`${titleOf(row)}: ${shown.indexOf(row) + 1} of ${shown.length}`);
  }

  function move(row, where) {
    if (!partyline.isFresh()) return;
    const shown = rows.shown(), other = rows.neighbour(row, where === '1' ? 1 : -1);
    if (where === 'top') rows.moveTo(row, shown[0]);
    else if (!other) return;
    else rows.moveTo(row, where === '1' ? other.nextElementSibling : other);
    post(rows.idOf(row), idAbove(row));
    tellPlace(row);
  }

  document.addEventListener('keydown', (event) => {
    const grip = event.target.closest?.('[id^="grip-"]');
    if (!grip || !['ArrowUp', 'ArrowDown'].includes(event.key)) return;
    event.preventDefault();
    move(grip.closest('.track'), event.key === 'ArrowUp' ? '-1' : '1');
  });
  document.addEventListener('partyline:menu', ({ target, detail }) => {
    const row = target.closest('.track');
    if (!row) return;
    const { move: where, remove } = detail.item.dataset, button = byId(`remove-${rows.idOf(row)}`);
    if (where) move(row, where);
    else if (remove !== undefined) button?.form.requestSubmit(button);
  });

  /* --- dragging --- */

  let drag = null;

  document.addEventListener('pointerdown', (event) => {
    const grip = event.target.closest('[id^="grip-"]'), row = grip?.closest('.track');
    if (!row || event.button || drag || !partyline.isFresh()) return;
    drag = { row, grip, pointer: event.pointerId, startY: event.clientY, y: event.clientY, top: 0, from: idAbove(row), isOn: false };
  });

  addEventListener('pointermove', (event) => {
    if (!drag || event.pointerId !== drag.pointer) return;
    drag.y = event.clientY;
    if (!drag.isOn && Math.abs(drag.y - drag.startY) >= THRESHOLD) lift();
    if (drag.isOn) follow();
  });
  for (const type of ['pointerup', 'pointercancel']) {
    addEventListener(type, (event) => { if (event.pointerId === drag?.pointer) drop(type === 'pointerup'); });
  }
  addEventListener('keydown', (event) => { if (drag?.isOn && event.key === 'Escape') { event.preventDefault(); drop(false); } }, true);

  function lift() {
    const { row, grip, pointer } = drag;
    drag.isOn = true;
    drag.scroller = row.closest('.line__scroll');
    drag.top = row.offsetTop - (drag.scroller?.scrollTop ?? 0);
    grip.setPointerCapture(pointer);
    row.classList.add('is-dragging');
    hand.drag(true);
    drag.edging = setInterval(edge, 16);
  }

  function follow() {
    const { row, scroller } = drag;
    const shift = () => drag.y - drag.startY + drag.top + (scroller?.scrollTop ?? 0) - row.offsetTop;
    const middle = row.offsetTop + shift() + row.offsetHeight / 2;
    const centre = (other) => other.offsetTop + other.offsetHeight / 2;
    const above = rows.neighbour(row, -1), below = rows.neighbour(row, 1);
    if (above && middle < centre(above)) rows.moveTo(row, above);
    else if (below && middle > centre(below)) rows.moveTo(row, below.nextElementSibling);
    row.style.translate = `0 ${shift()}px`;
  }

  /** Near the top or bottom of a long line, the line comes along. */
  function edge() {
    const box = drag.scroller?.getBoundingClientRect();
    if (!box) return;
    const past = Math.min(0, drag.y - box.top - EDGE) || Math.max(0, drag.y - box.bottom + EDGE);
    if (!past) return;
    drag.scroller.scrollTop += past / 5;
    follow();
  }

  function drop(isMeant) {
    const { row, from, isOn, edging } = drag;
    drag = null;
    if (!isOn) return;
    clearInterval(edging);
    row.classList.remove('is-dragging');
    row.style.translate = '';
    swallowClick();
    const id = rows.idOf(row), after = idAbove(row), isLeaving = rows.isLeaving(id);
    if (isMeant && !isLeaving && after !== from) { post(id, after); tellPlace(row); }
    hand.drag(false);
    if (isLeaving) partyline.toast('That track has just left the line.');
    if (!moves.has(id)) rows.answered(id);
  }

  /** The click that ends a drag is not a press of the handle. */
  function swallowClick() {
    const swallow = (event) => { event.preventDefault(); event.stopImmediatePropagation(); };
    addEventListener('click', swallow, { capture: true, once: true });
    setTimeout(() => removeEventListener('click', swallow, { capture: true }));
  }

  /* --- after every swap: what is pending or in hand shows again --- */

  partyline.on('after', () => {
    for (const [id, { want, count }] of votes) paintVote(id, want, count, true);
    if (drag?.isOn) { drag.row.classList.add('is-dragging'); follow(); }
  });
})();

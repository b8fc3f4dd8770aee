/* Acting on the line: votes that count at once, dragging, moving by keyboard or menu, removing. */
(() => {
  const { partyline } = window, { rows, mine, hand } = partyline;
  if (!rows) return;
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

  /* --- the row's menu --- */

  const menu = byId('track-menu'), acts = [...menu.children];
  const FITS = {
    move: (button) => button.id.startsWith('grip-'),
    save: () => mine.hasAccount(),
    remove: (button, row) => !byId(`remove-${rows.idOf(row)}`).hidden,
  };

  // Before it opens (ui.js) it is given what this person may do with this row.
  document.addEventListener('click', (event) => {
    const button = event.target.closest?.('[data-menu="track-menu"]');
    if (!button) return;
    const doesFit = ([name]) => FITS[name]?.(button, button.closest('.track'));
    menu.replaceChildren(...acts.filter(({ dataset }) => Object.entries(dataset).some(doesFit)));
    if (!menu.childElementCount) event.stopPropagation();
  }, true);
  document.addEventListener('partyline:menu', ({ target, detail }) => {
    const row = target.closest('.track');
    if (!row) return;
    const { move: where, remove } = detail.item.dataset, button = byId(`remove-${rows.idOf(row)}`);
    if (where) move(row, where);
    else if (remove !== undefined) button?.form.requestSubmit(button);
  });

  /* --- dragging --- */

  const showInHand = partyline.dragging({
    grip: '[id^="grip-"]', row: '.track',
    scroller: (row) => row.closest('.line__scroll'),
    neighbour: rows.neighbour, moveTo: rows.moveTo, placeOf: idAbove,
    mayBegin: () => partyline.isFresh(),
    lifted: () => hand.drag(true),
    dropped(row, from, isMeant) {
      const id = rows.idOf(row), after = idAbove(row), isLeaving = rows.isLeaving(id);
      if (isMeant && !isLeaving && after !== from) { post(id, after); tellPlace(row); }
      hand.drag(false);
      if (isLeaving) partyline.toast('That track has just left the line.');
      if (!moves.has(id)) rows.answered(id);
    },
  });

  /* --- after every swap: what is pending or in hand shows again --- */

  partyline.on('after', () => {
    for (const [id, { want, count }] of votes) paintVote(id, want, count, true);
    showInHand();
  });
})();

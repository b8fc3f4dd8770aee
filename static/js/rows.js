/*
 * Where the rows of the line stand. A row's content is swapped at once; its place, its coming and its going wait
 * while a hand, a drag or the keyboard is in the list, and then slide into place.
 */
(() => {
  const { partyline } = window, { hand, order } = partyline;
  const HOLD_MS = 20000, SLIDE_MS = 260;
  const PREFIX = 'queue-item-';
  const calm = matchMedia('(prefers-reduced-motion: reduce)');
  const now = () => performance.now();

  const list = () => document.getElementById('queue');
  const rowOf = (id) => document.getElementById(PREFIX + id);
  const idOf = (row) => row.id.slice(PREFIX.length);
  const isRow = (el) => Boolean(el?.id?.startsWith(PREFIX));
  const rowsIn = (root) => [...root.children].filter(isRow);
  const task = (target, style, ...nodes) => {
    const fragment = document.createDocumentFragment();
    fragment.append(...nodes);
    return { type: 'oob', fragment, target, swapSpec: { style, strip: false }, sourceElement: partyline.link };
  };
  if (!list() || !partyline.link) return;

  let truth = rowsIn(list()).map(idOf);      // the order the server last told
  const doomed = new Set();                  // gone, still shown
  const arriving = new Set();                // here, not yet shown
  const dismissed = new Set();               // removed by this person, answer pending
  let emptied = null;                        // an empty line that waits
  let isTouched = false, firstTops = null, waitingSince = 0, timer = 0, lostFocus = null;

  /* --- reading a frame before it is swapped --- */

  partyline.on('before', (tasks, text) => {
    const ol = list();
    if (!ol) return;
    rescue(tasks, text, ol);
    if (!tasks.some(({ target }) => target === ol || isRow(target))) return;
    isTouched = true;
    firstTops ??= measure();
    lostFocus = focusPlace();
    const isHeld = hand.holds();
    const changes = new Map(), gone = new Set();
    for (const one of [...tasks]) {
      const drop = () => tasks.splice(tasks.indexOf(one), 1);
      if (one.target === ol && one.swapSpec.style === 'beforeend') readNew(one, tasks, changes, isHeld, drop);
      else if (one.target === ol) readWhole(one, tasks, isHeld, drop);
      else if (isRow(one.target)) readRow(one, changes, gone, isHeld, drop);
    }
    if (changes.size || gone.size) accept(order.merge(truth.filter((id) => !gone.has(id)), changes));
  });

  function accept({ ids, orphans }) {
    truth = ids;
    if (orphans.length) partyline.ask(true);
  }

  function readRow(one, changes, gone, isHeld, drop) {
    const id = idOf(one.target);
    if (one.swapSpec.style === 'delete') {
      gone.add(id);
      arriving.delete(id);
      if (isHeld && !one.target.hidden) { doomed.add(id); drop(); }
      return;
    }
    const row = one.fragment.firstElementChild;
    doomed.delete(id);
    if (row.dataset.after !== undefined) changes.set(id, row.dataset.after);
    row.hidden = arriving.has(id) || dismissed.has(id);
  }

  function readNew(one, tasks, changes, isHeld, drop) {
    const wrapper = one.fragment.firstElementChild;
    for (const row of rowsIn(wrapper ?? one.fragment)) {
      const id = idOf(row), known = rowOf(id);
      changes.set(id, row.dataset.after ?? '');
      if (known) {
        // The same row twice shows once.
        doomed.delete(id);
        row.hidden = arriving.has(id);
        tasks.push(task(known, 'outerMorph', row));
      } else if (isHeld) {
        row.hidden = true;
        arriving.add(id);
      }
    }
    if (wrapper && !wrapper.childElementCount) drop();
  }

  function readWhole(one, tasks, isHeld, drop) {
    const next = one.fragment.firstElementChild;
    const rows = rowsIn(next), ids = rows.map(idOf);
    const before = truth;
    truth = ids;
    emptied = null;
    if (!isHeld || !before.length) {
      for (const set of [doomed, arriving]) set.clear();
      for (const row of rows) row.hidden = dismissed.has(idOf(row));
      return;
    }
    drop();
    if (!ids.length) emptied = next;
    for (const id of before) if (!ids.includes(id)) doomed.add(id);
    for (const row of rows) {
      const id = idOf(row), known = rowOf(id);
      doomed.delete(id);
      if (!known) arriving.add(id);
      row.hidden = arriving.has(id);
      tasks.push(known ? task(known, 'outerMorph', row) : task(list(), 'beforeend', row));
    }
  }

  /** A changed row that this screen never had (removed and brought back meanwhile) has no target: give it one. */
  function rescue(tasks, text, ol) {
    const seen = new Set([...text.matchAll(/id="queue-item-(\d+)"/g)].map((match) => match[1]));
    const isCarried = (id) => tasks.some(({ target, fragment }) => target === ol && fragment.querySelector(`#${PREFIX}${id}`));
    const lost = [...seen].filter((id) => !rowOf(id) && !isCarried(id));
    if (!lost.length) return;
    const page = new DOMParser().parseFromString(text, 'text/html');
    for (const id of lost) {
      const row = page.getElementById(PREFIX + id);
      const oob = row?.getAttribute('hx-swap-oob');
      if (!oob || oob === 'delete') continue;
      row.removeAttribute('hx-swap-oob');
      const wrapper = document.createElement('ol');
      wrapper.append(document.adoptNode(row));
      tasks.push({ ...task(ol, 'beforeend', wrapper), swapSpec: { style: 'beforeend', strip: true } });
    }
  }

  /* --- waiting --- */

  /** How many rows would move, come or go if the hand let go now. */
  function waiting() {
    const shown = rowsIn(list()).map(idOf).filter((id) => !doomed.has(id) && !arriving.has(id));
    const place = new Map(truth.map((id, index) => [id, index]));
    const known = shown.filter((id) => place.has(id));
    const leaving = [...doomed].filter((id) => !rowOf(id)?.hidden).length;
    return known.length - order.steady(known.map((id) => place.get(id))).length + arriving.size + leaving;
  }

  function settle() {
    if (!isTouched) return;
    isTouched = false;
    const count = waiting();
    if (!count || !hand.holds()) return arrange();
    waitingSince ||= now();
    timer ||= setInterval(check, 200);
    firstTops = lostFocus = null;
    showChip(count);
  }

  function check() {
    const isOverdue = now() - waitingSince > HOLD_MS && !hand.isBusy();
    if (isOverdue || !hand.holds()) arrange();
  }

  function showChip(count) {
    const chip = document.getElementById('held');
    if (!chip) return;
    chip.hidden = !count;
    if (count) document.getElementById('held-words').textContent = count === 1 ? '1 move waiting.' : `${count} moves waiting.`;
  }

  /* --- letting go --- */

  function arrange() {
    clearInterval(timer);
    timer = waitingSince = 0;
    showChip(0);
    const ol = list();
    if (emptied) return redrawEmpty();
    const tops = firstTops ?? measure(), focus = lostFocus ?? focusPlace(), under = hand.row();
    firstTops = lostFocus = null;
    for (const id of doomed) rowOf(id)?.remove();
    for (const id of arriving) { const row = rowOf(id); if (row) row.hidden = dismissed.has(id); }
    doomed.clear();
    arriving.clear();
    stand(ol, truth.map(rowOf).filter(Boolean));
    if (hand.row() !== under) hand.slipped();
    slide(ol, tops);
    refocus(focus);
    const isWhole = truth.length ? truth.every(rowOf) && ol.childElementCount === truth.length : ol.childElementCount > 0;
    if (!isWhole) partyline.ask(true);
  }

  function redrawEmpty() {
    const next = emptied;
    emptied = null;
    doomed.clear();
    arriving.clear();
    next.setAttribute('hx-swap-oob', 'outerMorph');
    htmx.swap({ sourceElement: partyline.link, target: partyline.link, swap: 'none', text: next.outerHTML });
  }

  function stand(ol, rows) {
    const index = new Map(rowsIn(ol).map((row, at) => [row, at]));
    const still = new Set(order.steady(rows.map((row) => index.get(row))).map((at) => rows[at]));
    let next = null;
    for (const row of rows.reverse()) {
      if (!still.has(row)) put(ol, row, next);
      next = row;
    }
  }

  /** moveBefore keeps focus, animation and loading state; older browsers fall back. */
  const put = (ol, row, next) => (ol.moveBefore ? ol.moveBefore(row, next) : ol.insertBefore(row, next));

  const measure = () => new Map(rowsIn(list()).filter((row) => !row.hidden).map((row) => [row, row.getBoundingClientRect().top]));

  function slide(ol, tops) {
    for (const row of rowsIn(ol)) {
      const from = tops.get(row), to = row.getBoundingClientRect().top;
      if (from === undefined) { arrive(row); continue; }
      const isSeen = Math.min(from, to) < innerHeight && Math.max(from, to) > -200;
      if (calm.matches || from === to || !isSeen || row.classList.contains('is-dragging')) continue;
      row.animate([{ transform: `translateY(${from - to}px)` }, { transform: 'none' }], { duration: SLIDE_MS, easing: 'cubic-bezier(.2,.8,.2,1)' });
    }
  }

  function arrive(row) {
    row.classList.add('is-new');
    setTimeout(() => row.classList.remove('is-new'), 1200);
  }

  /* --- focus --- */

  function focusPlace() {
    const row = document.activeElement?.closest('#queue .track');
    if (!row) return null;
    const rows = rowsIn(list()), at = rows.indexOf(row);
    return { id: document.activeElement.id, heirs: [...rows.slice(at + 1), ...rows.slice(0, at).reverse()].map(idOf) };
  }

  function refocus(place) {
    if (!place || (document.activeElement && document.activeElement !== document.body)) return;
    const ids = [place.id, ...place.heirs.flatMap((id) => [`grip-${id}`, `more-${id}`, `up-${id}`])];
    const heir = ids.map((id) => document.getElementById(id)).find((el) => el?.checkVisibility());
    heir?.focus({ preventScroll: true });
  }

  /* --- for line.js --- */

  /** The row above or below as people see it. */
  function neighbour(row, step) {
    const side = step < 0 ? 'previousElementSibling' : 'nextElementSibling';
    let other = row[side];
    while (other && (other.hidden || doomed.has(idOf(other)))) other = other[side];
    return other;
  }

  /** This person's own act is answered: where it put the row shows at once. */
  function answered(id) {
    const row = rowOf(id), at = truth.indexOf(id);
    if (hand.isBusy() || !row || at < 0) return;
    const above = neighbour(row, -1);
    if ((truth[at - 1] ?? '') !== (above ? idOf(above) : '')) arrange();
  }

  function dismiss(id) {
    const row = rowOf(id);
    if (!row) return;
    const focus = focusPlace(), tops = measure();
    dismissed.add(id);
    row.hidden = true;
    slide(list(), tops);
    if (focus?.id && row.contains(document.getElementById(focus.id))) { document.activeElement.blur(); refocus(focus); }
  }

  function restore(id) {
    dismissed.delete(id);
    const row = rowOf(id);
    if (row) row.hidden = arriving.has(id);
  }

  function moveTo(row, next) {
    const tops = measure(), focused = document.activeElement;
    put(list(), row, next);
    if (document.activeElement !== focused) focused.focus({ preventScroll: true });
    slide(list(), tops);
  }

  partyline.rows = {
    list, rowOf, idOf, neighbour, answered, dismiss, restore, moveTo,
    isLeaving: (id) => doomed.has(id) || !truth.includes(id),
    shown: () => rowsIn(list()).filter((row) => !row.hidden && !doomed.has(idOf(row))),
  };
  partyline.on('after', settle);
  document.getElementById('held')?.addEventListener('click', arrange);
})();

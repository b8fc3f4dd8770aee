/* Rows dragged by their handle: lifted after a few pixels, the others make way, and Escape calls it off. */
(() => {
  const THRESHOLD = 6, EDGE = 48;

  /**
   * Lets the rows that match `row` be dragged by what matches `grip`. `neighbour(row, step)` is the row above or below,
   * `moveTo(row, next)` puts one before another, `placeOf(row)` says where it stands; `scroller(row)` is what scrolls.
   * `mayBegin` may refuse; `lifted()` and `dropped(row, from, isMeant)` tell of it, `from` being its place before.
   */
  function dragging({ grip, row: rows, scroller, neighbour, moveTo, placeOf, mayBegin = () => true, lifted = () => {}, dropped }) {
    let drag = null;

    document.addEventListener('pointerdown', (event) => {
      const handle = event.target.closest(grip), row = handle?.closest(rows);
      if (!row || event.button || drag || !mayBegin()) return;
      drag = { row, handle, pointer: event.pointerId, startY: event.clientY, y: event.clientY, from: placeOf(row), isOn: false };
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
      const { row, handle, pointer } = drag;
      drag.isOn = true;
      drag.box = scroller(row);
      drag.top = row.offsetTop - (drag.box?.scrollTop ?? 0);
      handle.setPointerCapture(pointer);
      row.classList.add('is-dragging');
      lifted();
      drag.edging = setInterval(edge, 16);
    }

    function follow() {
      const { row, box } = drag;
      const shift = () => drag.y - drag.startY + drag.top + (box?.scrollTop ?? 0) - row.offsetTop;
      const middle = row.offsetTop + shift() + row.offsetHeight / 2;
      const centre = (other) => other.offsetTop + other.offsetHeight / 2;
      const above = neighbour(row, -1), below = neighbour(row, 1);
      if (above && middle < centre(above)) moveTo(row, above);
      else if (below && middle > centre(below)) moveTo(row, below.nextElementSibling);
      row.style.translate = `0 ${shift()}px`;
    }

    /** Near the top or bottom of a long list, the list comes along. */
    function edge() {
      const { box, y } = drag;
      if (!box) return;
      const { top, bottom } = box === document.scrollingElement ? { top: 0, bottom: innerHeight } : box.getBoundingClientRect();
      const past = Math.min(0, y - top - EDGE) || Math.max(0, y - bottom + EDGE);
      if (!past) return;
      box.scrollTop += past / 5;
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
      dropped(row, from, isMeant);
    }

    /** After a swap: what is in hand shows so again. */
    return () => { if (drag?.isOn) { drag.row.classList.add('is-dragging'); follow(); } };
  }

  /** The click that ends a drag is not a press of the handle. */
  function swallowClick() {
    const swallow = (event) => { event.preventDefault(); event.stopImmediatePropagation(); };
    addEventListener('click', swallow, { capture: true, once: true });
    setTimeout(() => removeEventListener('click', swallow, { capture: true }));
  }

  (window.partyline ??= {}).dragging = dragging;
})();

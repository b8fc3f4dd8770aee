/* Knows whether a hand, a drag or the keyboard is in the list, so that rows wait for it (rows.js). */
(() => {
  const { partyline } = window;
  // A pointer that has rested this long is not about to press anything; a click that comes just after a slide is caught.
  const REST_MS = 3000, TOUCH_MS = 800, MISCLICK_MS = 600;
  const now = () => performance.now();
  const isInList = (target) => Boolean(target.closest?.('#queue'));
  let isOver = false, isDown = false, at = -Infinity, downUntil = 0;
  let x = 0, y = 0, movedAt = -Infinity, slippedAt = -Infinity;
  let isDragging = false, unanswered = 0;

  addEventListener('pointermove', (event) => {
    if (event.pointerType === 'touch') return;
    if (event.clientX !== x || event.clientY !== y) movedAt = now();
    [isOver, at, x, y] = [isInList(event.target), now(), event.clientX, event.clientY];
  }, { passive: true });
  document.documentElement.addEventListener('pointerleave', () => { isOver = false; });
  addEventListener('pointerdown', (event) => { [isDown, at] = [isInList(event.target), now()]; }, { passive: true });
  for (const type of ['pointerup', 'pointercancel']) {
    addEventListener(type, (event) => {
      if (isDown && event.pointerType === 'touch') downUntil = now() + TOUCH_MS;
      isDown = false;
    }, { passive: true });
  }
  addEventListener('click', (event) => {
    const isSurprise = event.detail > 0 && slippedAt > movedAt && now() - slippedAt < MISCLICK_MS;
    if (isSurprise && isInList(event.target)) { event.preventDefault(); event.stopImmediatePropagation(); }
  }, true);

  const isBusy = () => isDragging || unanswered > 0;

  partyline.hand = {
    /** True while this person's own drag or move is under way: nothing may force the rows then. */
    isBusy,
    holds() {
      const isNear = isDown || now() < downUntil || (isOver && now() - at < REST_MS);
      return isBusy() || isNear || Boolean(document.querySelector('#queue :focus-visible, #queue [aria-expanded="true"]'));
    },
    drag(value) { isDragging = value; },
    expect(change) { unanswered += change; },
    row: () => (isOver ? document.elementFromPoint(x, y)?.closest('.track') ?? null : null),
    slipped() { slippedAt = now(); },
  };
})();

/*
 * Players of others that nobody can steer from here: the frame, a countdown to the room's anchor that everybody sees at
 * the same instant, and where the room is for whoever comes late. What such a frame says about itself is believed only
 * from its own window and a known origin, and only as this person's progress (`partyline:progress`), never for the room.
 */
(() => {
  const { partyline } = window;
  const byId = (id) => document.getElementById(id);
  if (!partyline?.frames) return;
  const TICK_MS = 100, COUNT_FROM = 3, NOW_MS = 2500, LEAST_COUNT_MS = 1000;
  const LONGEST_SECONDS = 86400, LONGEST_MESSAGE = 20000, PROGRESS_EVERY_MS = 1000;
  const ENDED = ['ended', 'completed', 'finished'];
  const SENTENCE = 'This player can’t be steered from here. Press play together.';

  function clockWords(ms) {
    const seconds = Math.floor(ms / 1000), two = (number) => String(number).padStart(2, '0');
    const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
    return hours ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
  }

  /** A number of seconds within a day, or null; players write numbers as text too. */
  function seconds(value) {
    const number = typeof value === 'string' && value.trim() ? Number(value) : value;
    return typeof number === 'number' && Number.isFinite(number) && number >= 0 && number <= LONGEST_SECONDS ? number : null;
  }

  /**
   * What a message says of place and length, or null. Players wrap it differently: text or an object; the numbers in
   * it, or in `data`, `detail` or `info`; `progress` in percent where the length is known and the place is not. An end
   * (`isOver`) may come without any numbers.
   */
  function progressIn(message) {
    let said = message;
    if (typeof said === 'string') {
      if (said.length > LONGEST_MESSAGE) return null;
      try { said = JSON.parse(said); } catch { return null; }
    }
    if (!said || typeof said !== 'object') return null;
    const isPlain = (one) => one && typeof one === 'object' && !Array.isArray(one);
    const places = [said, said.data, said.detail, said.info].filter(isPlain);
    const find = (...names) => {
      for (const place of places) for (const name of names) {
        const found = Object.hasOwn(place, name) ? seconds(place[name]) : null;
        if (found !== null) return found;
      }
      return null;
    };
    const duration = find('duration'), part = find('progress', 'percent');
    const durationMs = duration ? Math.round(duration * 1000) : null;
    const isNamed = (name, place) => Object.hasOwn(place, name) && ENDED.includes(place[name]);
    const isOver = places.some((place) => isNamed('event', place) || isNamed('type', place));
    if (isOver) return { positionMs: durationMs, durationMs, isOver };
    let at = find('currentTime', 'time', 'position', 'seconds');
    if (at === null && duration && part !== null && part <= 100) at = duration * part / 100;
    if (at === null || (duration && at > duration + 1)) return null;
    return { positionMs: Math.round(at * 1000), durationMs, isOver };
  }

  function embed(host) {
    let anchor = null, frame = null, timer = 0, toldAt = -Infinity, said = '';
    let placeMs = null, lengthMs = null, isOver = false;   // what the frame said last
    const notice = Object.assign(document.createElement('p'), { className: 'together' });
    const words = Object.assign(document.createElement('span'), { className: 'together__words' });
    const count = Object.assign(document.createElement('b'), { className: 'together__count' });
    notice.append(words, count);

    const originOf = (address) => { try { return new URL(address).origin; } catch { return ''; } };
    const origins = () => (byId('screen')?.dataset.origins ?? '').split(' ').map(originOf).filter(Boolean);

    function heard({ source, origin, data }) {
      if (!frame || source !== frame.contentWindow || !origins().includes(origin)) return;
      const found = progressIn(data);
      if (!found) return;
      // An end is said once, often right after a place, and is not to be missed.
      const isDue = found.isOver ? !isOver : performance.now() - toldAt >= PROGRESS_EVERY_MS;
      if (!isDue) return;
      toldAt = performance.now();
      ({ isOver } = found);
      lengthMs = found.durationMs ?? lengthMs;
      placeMs = isOver ? endMs() : found.positionMs;
      const detail = { item: anchor.item, positionMs: placeMs, durationMs: isOver ? placeMs : lengthMs };
      document.dispatchEvent(new CustomEvent('partyline:progress', { detail }));
    }

    /** Where it ended: its length as the room or the player knows it, else how far it had come, or the room. */
    function endMs() {
      const length = Number.isFinite(anchor.durationMs) ? anchor.durationMs : lengthMs;
      const endsAt = length ?? placeMs ?? player.wantedAt(host.clock.now());
      return Math.min(LONGEST_SECONDS * 1000, Math.max(1, Math.round(endsAt)));
    }

    function open() {
      [placeMs, lengthMs, isOver] = [null, null, false];
      frame = partyline.frames.iframe({ src: `${partyline.base}embed/${encodeURIComponent(anchor.item)}`, title: 'Player', origins: origins() });
      host.frame.replaceChildren(frame, notice);
    }

    function show(text, number = '') {
      if (words.textContent !== text) words.textContent = text;
      if (count.textContent !== number) count.textContent = number;
    }

    /** The same words at the same instant for everybody: the countdown runs to the anchor, by the room's clock. */
    function draw() {
      const left = anchor.atMs - host.clock.now(), { state, positionMs } = anchor;
      const wanted = player.wantedAt(host.clock.now());
      if (state === 'paused') show(`Paused for everyone at ${clockWords(positionMs)}. Press pause here, too.`);
      else if (state !== 'playing' || !host.clock.isLocked) show(SENTENCE);
      else if (left > 0) show(SENTENCE, isCounting ? String(Math.min(COUNT_FROM, Math.ceil(left / 1000))) : '');
      else if (left > -NOW_MS && isCounting) show(SENTENCE, 'Play');
      else show(`${SENTENCE} The room is at ${clockWords(Math.min(wanted, anchor.durationMs))}.`);
      if (isCounting && left > 0 && said !== `${anchor.item} ${anchor.version}`) {
        said = `${anchor.item} ${anchor.version}`;
        partyline.say?.(`Press play in ${Math.ceil(left / 1000)}`);
      }
      timer = setTimeout(draw, TICK_MS);
    }

    let isCounting = false;
    const player = {
      state: 'idle', drift: NaN, isBlocked: false, isHeld: false,
      get words() { return player.state === 'by hand' ? 'press play together' : null; },
      wantedAt: (t) => anchor.positionMs + (anchor.state === 'playing' ? Math.max(0, t - anchor.atMs) * anchor.rate : 0),
      follow(next) {
        const isNew = next.item !== anchor?.item, isMoved = next.version !== anchor?.version;
        anchor = next;
        if (isNew) open();
        if (isNew || isMoved) isCounting = next.state === 'playing' && next.atMs - host.clock.now() >= LEAST_COUNT_MS;
        player.state = next.state === 'playing' ? 'by hand' : next.state;
        clearTimeout(timer);
        draw();
        host.onChange(player);
      },
      destroy() {
        clearTimeout(timer);
        removeEventListener('message', heard);
        host.frame.replaceChildren();
        frame = null;
      },
      setVolume() {}, setMuted() {}, setSpeaker() {}, tap() {},
    };
    addEventListener('message', heard);
    return player;
  }

  partyline.players.register('embed', embed);
  partyline.frames.progressIn = progressIn;
})();

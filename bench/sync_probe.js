/* Reads the media's time beside the system's clock; put into both pages by bench/sync.py. */
(() => {
  const EVERY_MS = 50;
  // timeOrigin is taken once per page from a clock that may have been corrected since: measure by how much.
  const correction = () => {
    let sum = 0;
    for (let n = 0; n < 400; n += 1) sum += Date.now() + 0.5 - performance.timeOrigin - performance.now();
    return sum / 400;
  };
  let rows = [], timer = 0, shift = 0;
  const at = () => performance.timeOrigin + performance.now() + shift;
  window.probe = {
    pausedAt: NaN,
    begin() {
      shift = correction();
      rows = [];
      timer = setInterval(() => {
        const { media, rate } = partyline.player, { item } = document.getElementById('playback').dataset;
        // At another speed the browser reports a place that is off; what is heard then is known only afterwards.
        if (!media.paused && rate === 1) rows.push([at(), media.currentTime * 1000, item]);
      }, EVERY_MS);
    },
    end() {
      clearInterval(timer);
      return rows;
    },
    press() {
      const clicked = at();
      document.getElementById('play').click();
      return clicked;
    },
  };
  addEventListener('DOMContentLoaded', () => {
    document.getElementById('media')?.addEventListener('pause', () => { window.probe.pausedAt = at(); });
  });
})();

/*
 * Words to the video: the stage's menu names them, the browser shows the ones this person chose. What was chosen is
 * remembered by the room (#mine), for this track and on every device; off is a choice too.
 */
(() => {
  const { partyline } = window;
  const MOST_LETTERS = 60;
  const byId = (id) => document.getElementById(id);
  const media = byId('media');
  if (!media || !partyline.link) return;
  const all = () => [...document.querySelectorAll('#words input[name="words"]')];
  const item = () => byId('words')?.dataset.item ?? '';
  let chosen = { item: '', value: '' };

  /** What was pressed here a moment ago counts until the room has it too. */
  function wanted() {
    const kept = byId('mine')?.dataset.subtitle ?? '';
    return chosen.item === item() ? chosen.value : kept;
  }

  /** One element for each, in the order of the menu; those that stay keep what they have loaded. */
  function lay(rows) {
    const known = new Map([...media.querySelectorAll('track')].map((track) => [track.dataset.words, track]));
    for (const { value, dataset: { url, label, language } } of rows) {
      if (known.get(value)?.getAttribute('src') === url) { known.delete(value); continue; }
      const track = document.createElement('track');
      Object.assign(track, { kind: 'subtitles', label, srclang: language, src: url });
      track.dataset.words = value;
      media.append(track);
    }
    for (const track of known.values()) track.remove();
  }

  function show() {
    const inputs = all(), value = wanted();
    lay(inputs.filter((input) => input.value));
    const has = inputs.some((input) => input.value === value);
    for (const input of inputs) input.checked = input.value === (has ? value : '');
    for (const element of media.querySelectorAll('track')) {
      const mode = element.dataset.words === value ? 'showing' : 'disabled';
      if (element.track.mode !== mode) element.track.mode = mode;
    }
    byId('words-open')?.classList.toggle('is-on', has && value !== '');
  }

  document.addEventListener('change', ({ target }) => {
    if (target.name !== 'words' || !target.closest('#words')) return;
    chosen = { item: item(), value: target.value };
    show();
    const values = { item: item(), subtitle: target.value };
    htmx.ajax('POST', `${partyline.base}subtitles/choice`, { source: partyline.link, target: partyline.link, swap: 'none', values });
  });
  /** What the file is called is what the words are called: “Film.de.srt” is Film, in German. */
  document.addEventListener('change', ({ target }) => {
    const name = target.id === 'words-file' && target.files[0]?.name;
    if (!name) return;
    const [, label, language = ''] = /^(.*?)(?:\.([a-z]{2,3}(?:-[A-Za-z]{2,4})?))?\.[^.]*$/.exec(name) ?? [null, name];
    Object.assign(target.form.elements.label, { value: label.slice(0, MOST_LETTERS) });
    Object.assign(target.form.elements.language, { value: language });
  }, true);
  // A field that was sent is empty again, so that the same file may be sent once more.
  document.addEventListener('htmx:finally:request', ({ detail: { ctx } }) => {
    if (ctx.sourceElement?.id === 'words-add') ctx.sourceElement.reset();
  });
  partyline.on('after', show);
  show();
})();

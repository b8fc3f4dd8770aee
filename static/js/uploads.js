/*
 * Files: dropped, chosen or pasted, sent in pieces, two at a time. Whatever breaks, a file goes on from where the server
 * says it stopped (HEAD, then PATCH with Upload-Offset, as tus has it); after a reload it has to be chosen again. They
 * are begun in the order they were chosen, which is their order in line. Other tabs follow what this one sends.
 */
(() => {
  const { partyline } = window;
  const byId = (id) => document.getElementById(id);
  const box = byId('uploads'), list = byId('uploads-list'), veil = byId('drop');
  if (!partyline.link || !box) return;
  // Out of the line, which would clip it.
  document.body.append(veil);
  const PIECE = 8 * 1024 * 1024, AT_ONCE = 2, STILL_MS = 30000, LONGEST_MS = 30000, DONE_MS = 8000, PAINT_MS = 250, ASK_MS = 2000, SILENT_MS = 5000;
  const MB = 1024 * 1024, STORE = `partyline-uploads:${partyline.base}`;
  const DONE = `partyline-uploads-done:${partyline.base}`, MOST_DONE = 100;
  // The file itself is what is wrong: its kind, its size.
  const HOPELESS = [413, 415, 422];
  // Here whole, and asked about until it is over.
  const ASKED = ['checking', 'behind'];
  const HEADERS = { 'HX-Request': 'true' };
  const jobs = [];
  const channel = new BroadcastChannel(STORE);

  const mayBring = () => {
    const { add, files } = byId('queue')?.dataset ?? {};
    return box.dataset.takes === 'yes' && Boolean(add) && files !== 'no';
  };
  const isGoing = ({ state }) => ['queued', 'sending'].includes(state);
  const say = (text) => partyline.say?.(text);
  const newKey = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');

  /* --- what is remembered over a reload --- */

  function remembered(name = STORE) {
    try { return JSON.parse(localStorage.getItem(name) ?? '[]'); } catch { return []; }
  }

  function keep(name, list) {
    try { localStorage.setItem(name, JSON.stringify(list)); } catch { /* private windows */ }
  }

  /** Another tab remembers its own there. */
  function remember(dropped = '') {
    const open = jobs.filter(({ token, state }) => token && !['ready', 'refused', 'cancelled'].includes(state));
    const others = remembered().filter(({ token }) => token !== dropped && !jobs.some((job) => job.token === token));
    keep(STORE, [...others, ...open.map(({ token, name, size }) => ({ token, name, size }))]);
  }

  /* --- asking the server --- */

  /** What it said instead of yes; `sentence` is empty when it was not us who answered. `isFinal`: asking again would not help. */
  class Refused extends Error {
    constructor(status, text) {
      const sentence = new DOMParser().parseFromString(text, 'text/html').getElementById('notice')?.textContent.trim() ?? '';
      super(sentence || 'That did not work. Try again.');
      this.sentence = sentence;
      this.status = status;
      this.isFinal = status === 507 || (status >= 400 && status < 500 && ![408, 409, 429].includes(status));
    }
  }

  async function ask(method, url, body) {
    const response = await fetch(url, { method, body, headers: method === 'POST' ? { ...HEADERS, 'Idempotency-Key': body.get('key') } : HEADERS });
    if (!response.ok) throw new Refused(response.status, await response.text());
    return response.status === 204 || method === 'HEAD' ? response : response.json();
  }

  async function begin(job) {
    const body = new URLSearchParams({ name: job.name, size: job.size, key: job.key });
    const said = await ask('POST', `${partyline.base}uploads`, body);
    Object.assign(job, { token: said.token, offset: said.offset });
    if (job.state === 'cancelled') { callOff(job.token); return; }
    remember();
    next();
  }

  const callOff = (token) => ask('DELETE', `/uploads/${token}`).catch(() => {});

  /** Where to go on. A file the server knows nothing of any more begins anew. */
  async function locate(job) {
    try {
      const said = await ask('HEAD', `/uploads/${job.token}`);
      job.offset = Number(said.headers.get('Upload-Offset'));
    } catch (error) {
      if (error.status !== 404) throw error;
      Object.assign(job, { token: '', key: newKey(), offset: 0 });
      await begin(job);
    }
    job.isUnsure = false;
  }

  function sendPiece(job) {
    const piece = job.file.slice(job.offset, job.offset + PIECE);
    return new Promise((done, failed) => {
      const request = new XMLHttpRequest();
      let timer = 0;
      const wait = () => { clearTimeout(timer); timer = setTimeout(() => request.abort(), STILL_MS); };
      const lost = () => { clearTimeout(timer); failed(new Error('the connection was lost')); };
      request.open('PATCH', `/uploads/${job.token}`);
      request.setRequestHeader('HX-Request', 'true');
      request.setRequestHeader('Upload-Offset', String(job.offset));
      request.setRequestHeader('Content-Type', 'application/offset+octet-stream');
      request.upload.onprogress = ({ loaded }) => { wait(); count(job, job.offset + loaded); };
      request.onload = () => {
        clearTimeout(timer);
        const offset = request.getResponseHeader('Upload-Offset');
        if (offset === null) { failed(new Refused(request.status, request.responseText)); return; }
        job.offset = Number(offset);
        count(job, job.offset);
        done(request.status);
      };
      request.onerror = request.onabort = lost;
      job.request = request;
      wait();
      request.send(piece);
    }).finally(() => { job.request = null; });
  }

  /* --- one file's way --- */

  async function run(job) {
    job.tries = 0;
    while (job.state === 'sending') {
      try {
        if (!job.token) await begin(job);
        else if (job.isUnsure) await locate(job);
        if (job.state !== 'sending') break;
        // What the server has no place for just now goes on when a piece was taken, and not before.
        if (!job.sentence) goOn(job);
        if (job.offset < job.size && await sendPiece(job) === 409) {
          const said = await ask('GET', `/uploads/${job.token}`);
          if (job.state !== 'sending') break;
          if (said.state !== 'receiving') { meet(job, said); break; }
        }
        goOn(job);
        job.tries = 0;
        if (job.offset >= job.size) { set(job, 'checking'); follow(job); }
      } catch (error) {
        if (job.state !== 'sending') break;
        if (error.isFinal) { stop(job, error.message, HOPELESS.includes(error.status) ? 'refused' : 'failed'); break; }
        job.isUnsure = true;
        job.tries += 1;
        if (job.tries > 2 && !(await isReadable(job.file))) { stop(job, 'That file cannot be read any more. Choose it again.', 'waiting'); break; }
        const sentence = error.sentence ?? '';
        if (!job.isStuck || sentence !== job.sentence) say(sentence ? `${job.name}: ${sentence}` : `${job.name} waits for the connection`);
        Object.assign(job, { isStuck: true, sentence });
        paint(job);
        await pause(job);
      }
    }
    next();
  }

  function goOn(job) {
    if (!job.isStuck) return;
    Object.assign(job, { isStuck: false, sentence: '' });
    paint(job);
    say(`${job.name} goes on`);
  }

  const isReadable = (file) => file.slice(0, 1).arrayBuffer().then(() => true, () => false);

  /** Wait longer each time, or until the browser says that it is back. */
  function pause(job) {
    return new Promise((done) => {
      const timer = setTimeout(done, Math.min(LONGEST_MS, 500 * 2 ** Math.min(job.tries, 8)) * (0.5 + Math.random() / 2));
      job.wake = () => { clearTimeout(timer); done(); };
    });
  }

  async function follow(job) {
    for (let wait = 500; ASKED.includes(job.state); wait = Math.min(5000, wait * 1.5)) {
      await new Promise((done) => setTimeout(done, wait));
      try {
        const said = await ask('GET', `/uploads/${job.token}`);
        if (!ASKED.includes(job.state)) return;
        if (ASKED.includes(said.state)) set(job, said.state); else settle(job, said);
      } catch (error) {
        if (error.isFinal) settle(job, { state: 'refused', reason: error.message });
      }
    }
  }

  /** What the server says of a file that this page did not see coming. */
  function meet(job, said) {
    Object.assign(job, { offset: said.offset, sent: said.offset });
    if (ASKED.includes(said.state)) { set(job, said.state); follow(job); } else settle(job, said);
  }

  /** Ask what became of a file that is not sent from here. */
  function look(job) {
    job.state = 'checking';
    ask('GET', `/uploads/${job.token}`).then(
      (said) => { if (jobs.includes(job)) meet(job, said); },
      (error) => { if (error.isFinal) drop(job); else set(job, 'waiting'); },
    );
  }

  function settle(job, { state, reason }) {
    if (state === 'receiving') {
      Object.assign(job, { isUnsure: true });
      if (performance.now() - job.heardAt < SILENT_MS) goElsewhere(job); else set(job, job.file ? 'queued' : 'waiting');
      next();
      return;
    }
    job.sentence = reason;
    set(job, state);
    remember();
    say(`${job.name}: ${words(job)}`);
    if (state === 'cancelled' || (state === 'ready' && !reason)) setTimeout(leave, DONE_MS, job);
  }

  /** A row that is done goes, but never while a hand is on the line that would move up. */
  function leave(job) {
    if (byId('line').matches(':hover, :focus-within')) setTimeout(leave, DONE_MS, job); else drop(job);
  }

  function stop(job, sentence, state = 'failed') {
    job.sentence = sentence;
    set(job, state);
    say(`${job.name}: ${sentence}`);
  }

  function next() {
    for (const job of jobs.filter(({ state }) => state === 'queued')) {
      const sending = jobs.filter(({ state }) => state === 'sending');
      // The one before has to be known there first.
      if (sending.length >= AT_ONCE || sending.some(({ token }) => !token)) return;
      set(job, 'sending');
      run(job);
    }
  }

  function cancel(job) {
    const { token } = job, wasOpen = !['ready', 'refused'].includes(job.state);
    set(job, 'cancelled');
    job.request?.abort();
    job.wake?.();
    if (token && wasOpen) { callOff(token); say(`${job.name} is called off`); }
    if (token) channel.postMessage({ token, state: 'cancelled' });
    drop(job);
    next();
  }

  const turnAway = () => partyline.toast?.('This room takes no files from you just now.', { isBad: true });

  /** Take files: those that wait for their file again go on, others are new. */
  function take(files) {
    const chosen = [...files];
    if (!chosen.length) return;
    if (!mayBring()) { turnAway(); return; }
    // What is open over the list of files gives way to it.
    byId('add')?.classList.remove('is-open');
    for (const file of chosen) {
      const known = jobs.find((job) => job.state === 'waiting' && job.name === file.name && job.size === file.size);
      const job = known ?? make({ name: file.name, size: file.size });
      Object.assign(job, { file, sentence: '' });
      set(job, 'queued');
    }
    say(chosen.length === 1 ? `Sending ${chosen[0].name}` : `Sending ${chosen.length} files`);
    next();
  }

  function make({ name, size, token = '', row = byId('upload-row').content.firstElementChild.cloneNode(true) }) {
    const job = {
      name, size, token, key: newKey(), offset: 0, sent: 0, speed: 0, at: 0, heardAt: -SILENT_MS, file: null, state: 'queued', sentence: '',
      isUnsure: Boolean(token), isStuck: false, tries: 0, request: null, wake: null, paintedAt: 0, row,
    };
    job.row.querySelector('.upload__name').textContent = name;
    job.row.querySelector('progress').setAttribute('aria-label', `${name}, sent so far`);
    job.row.querySelector('[data-act="cancel"]').hidden = false;
    for (const [action, act] of [['cancel', cancel], ['retry', retry], ['choose', choose]]) {
      const button = job.row.querySelector(`[data-act="${action}"]`);
      button.setAttribute('aria-label', `${button.dataset.words} ${name}`);
      button.addEventListener('click', () => act(job));
    }
    jobs.push(job);
    list.append(job.row);
    return job;
  }

  function retry(job) {
    Object.assign(job, { isUnsure: Boolean(job.token), key: newKey(), sentence: '' });
    set(job, 'queued');
    next();
  }

  const choose = () => byId('upload-file').click();

  function drop(job) {
    if (!jobs.includes(job)) return;
    const hadFocus = job.row.contains(document.activeElement);
    jobs.splice(jobs.indexOf(job), 1);
    if (job.token) keep(DONE, [...remembered(DONE), job.token].slice(-MOST_DONE));
    job.row.remove();
    box.hidden = !jobs.length;
    const ways = [...document.querySelectorAll('[data-upload]')];
    if (hadFocus) (list.querySelector('button:not([hidden])') ?? ways.find((input) => input.offsetParent))?.focus();
    remember(job.token);
  }

  /* --- other tabs --- */

  /** What another tab says of a file it sends; saying nothing, it asks for that. */
  function hear({ token, sent, state }) {
    if (!token) {
      for (const own of jobs.filter((job) => job.token && job.file)) channel.postMessage({ token: own.token, sent: own.sent, state: own.state });
      return;
    }
    const job = jobs.find((known) => known.token === token);
    if (!job) return;
    if (job.file) { if (state === 'cancelled') cancel(job); return; }
    if (state === 'cancelled') { drop(job); return; }
    if (isGoing({ state })) {
      Object.assign(job, { sent, heardAt: performance.now() });
      // What was told on the way may be heard after the end.
      if (['waiting', 'checking', 'elsewhere'].includes(job.state)) goElsewhere(job);
    } else if (job.state === 'elsewhere') {
      job.heardAt = -SILENT_MS;
      look(job);
    }
  }

  function goElsewhere(job) {
    const isNew = job.state !== 'elsewhere';
    set(job, 'elsewhere');
    if (isNew) watch(job);
  }

  /** A tab that is gone says nothing, and its file waits to be chosen again. */
  async function watch(job) {
    while (job.state === 'elsewhere') {
      channel.postMessage({});
      await new Promise((done) => setTimeout(done, ASK_MS));
      if (job.state === 'elsewhere' && performance.now() - job.heardAt > SILENT_MS) look(job);
    }
  }

  /* --- on the screen --- */

  function count(job, sent) {
    const now = performance.now(), seconds = (now - job.at) / 1000;
    if (sent > job.sent && job.at && seconds > 0.2) {
      const speed = (sent - job.sent) / seconds;
      job.speed = job.speed ? 0.8 * job.speed + 0.2 * speed : speed;
    }
    if (!job.at || seconds > 0.2 || sent < job.sent) Object.assign(job, { at: now, sent });
    if (now - job.paintedAt > PAINT_MS) paint(job);
  }

  const percent = (job) => Math.min(100, Math.floor((100 * Math.max(job.sent, job.offset)) / job.size));

  function sizeWords(bytes) {
    return bytes < 1024 * MB ? `${(bytes / MB).toFixed(bytes < 10 * MB ? 1 : 0)} MB` : `${(bytes / 1024 / MB).toFixed(1)} GB`;
  }

  function leftWords(job) {
    const seconds = Math.round((job.size - job.sent) / job.speed);
    return seconds < 60 ? `${seconds} s left` : seconds < 3600 ? `${Math.round(seconds / 60)} min left` : `${(seconds / 3600).toFixed(1)} h left`;
  }

  function words(job) {
    if (job.state === 'queued') return 'Waits its turn';
    if (job.state === 'sending' && job.isStuck) return `${percent(job)} %, ${job.sentence || 'waiting for the connection'}`;
    if (job.state === 'sending') return [`${percent(job)} % of ${sizeWords(job.size)}`, ...(job.speed ? [`${sizeWords(job.speed)}/s`, leftWords(job)] : [])].join(', ');
    if (job.state === 'waiting') return job.sentence || `Stopped at ${percent(job)} %. Choose the same file again to go on.`;
    if (job.state === 'elsewhere') return `${percent(job)} %, sent from another tab`;
    if (job.state === 'checking') return 'Having a listen';
    if (job.state === 'behind') return 'Ready. Its turn comes after the ones before it.';
    if (job.state === 'cancelled') return 'Called off';
    if (job.state !== 'ready') return job.sentence;
    if (job.sentence) return `Here, but not in line. ${job.sentence}`;
    return byId('queue')?.dataset.add === 'suggest' ? 'Here, and waiting for the host’s OK' : 'In line';
  }

  function set(job, state) {
    job.state = state;
    paint(job);
  }

  function paint(job) {
    const { row, state } = job, bar = row.querySelector('progress');
    const isMoving = ['queued', 'sending', 'waiting', 'elsewhere'].includes(state);
    job.paintedAt = performance.now();
    row.dataset.state = state === 'sending' && job.isStuck ? 'stuck' : state;
    row.querySelector('.upload__note').textContent = words(job);
    bar.hidden = !isMoving && state !== 'checking';
    if (isMoving) bar.value = percent(job); else bar.removeAttribute('value');
    row.querySelector('[data-act="retry"]').hidden = state !== 'failed';
    row.querySelector('[data-act="choose"]').hidden = state !== 'waiting';
    box.hidden = !jobs.length;
  }

  /* --- ways in --- */

  const hasFiles = (event) => event.dataTransfer?.types.includes('Files');
  document.addEventListener('dragenter', (event) => { if (hasFiles(event) && mayBring()) veil.hidden = false; });
  document.addEventListener('dragleave', (event) => { if (!event.relatedTarget) veil.hidden = true; });
  document.addEventListener('dragover', (event) => {
    if (!hasFiles(event)) return;
    // Without this the browser would leave the room for the file.
    event.preventDefault();
    event.dataTransfer.dropEffect = mayBring() ? 'copy' : 'none';
  });
  document.addEventListener('drop', (event) => {
    veil.hidden = true;
    if (!hasFiles(event)) return;
    event.preventDefault();
    const entries = partyline.droppedEntries(event.dataTransfer);
    if (entries) takeBelow(entries); else take(event.dataTransfer.files);
  });

  async function takeBelow(entries) {
    if (!mayBring()) { turnAway(); return; }
    const endings = box.dataset.accept.split(',').filter((kind) => kind.startsWith('.'));
    const { files, others, isCut } = await partyline.filesBelow(entries, endings);
    take(files);
    if (!files.length) partyline.toast?.(isCut ? 'That is too much at once. Drop a smaller folder.' : 'Nothing in there plays here.', { isBad: true });
    else if (isCut) partyline.toast?.(`That is a lot. ${counted(files.length, 'file')} from it came along, the rest was left out.`);
    else if (others) partyline.toast?.(`${counted(others, 'other file')} in there won’t play here and ${others === 1 ? 'was' : 'were'} left out.`);
  }

  const counted = (number, word) => `${number} ${word}${number === 1 ? '' : 's'}`;
  document.addEventListener('paste', (event) => {
    const files = event.clipboardData?.files ?? [];
    if (!files.length || !mayBring()) return;
    event.preventDefault();
    take(files);
  });
  for (const input of document.querySelectorAll('[data-upload]')) {
    // The form around it searches with whatever is typed.
    input.addEventListener('input', (event) => event.stopPropagation());
    input.addEventListener('change', (event) => { event.stopPropagation(); take(input.files); input.value = ''; });
  }

  function showWays() {
    for (const way of document.querySelectorAll('[data-upload-way]')) way.hidden = !mayBring();
  }
  partyline.on('after', showWays);
  addEventListener('online', () => { for (const job of jobs) job.wake?.(); });
  addEventListener('beforeunload', (event) => { if (jobs.some(isGoing)) event.preventDefault(); });

  // What came with the page: files sent whole, shared, or sent from elsewhere; but for those that were done with here.
  const left = remembered(), done = remembered(DONE);
  for (const row of [...list.children]) {
    const { token, state, reason, size } = row.dataset;
    if (done.includes(token)) row.remove();
    else meet(make({ token, size: Number(size), name: row.querySelector('.upload__name').textContent, row }), { state, reason, offset: Number(size) });
  }
  box.hidden = !jobs.length;
  for (const known of left.filter(({ token }) => !jobs.some((job) => job.token === token))) look(make(known));
  channel.onmessage = ({ data }) => hear(data);
  channel.postMessage({});
  remember();
  showWays();
})();

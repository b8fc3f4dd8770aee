/* The room's socket without a room: clock answers and new anchors, over a plain WebSocket. */
(() => {
  const listeners = new Map();
  const on = (type, fn) => listeners.set(type, [...(listeners.get(type) ?? []), fn]);
  const emit = (type, ...args) => (listeners.get(type) ?? []).forEach((fn) => fn(...args));
  const toasts = [];
  let socket = null;
  const send = (message) => {
    if (socket?.readyState !== WebSocket.OPEN) return false;
    socket.send(JSON.stringify(message));
    return true;
  };
  const connect = () => {
    socket = new WebSocket(`${location.origin.replace('http', 'ws')}/live`);
    socket.onopen = () => emit('open');
    socket.onclose = () => setTimeout(connect, 200);
    socket.onmessage = ({ data }) => { const message = JSON.parse(data); emit(message.t, message); };
  };
  window.partyline = { send, on, emit, link: document.body, base: '/', toasts, say() {}, toast: (text) => toasts.push(text) };
  on('playback', ({ anchor }) => {
    Object.assign(document.getElementById('playback').dataset, anchor);
    document.dispatchEvent(new CustomEvent('partyline:playback'));
    emit('after');
  });
  connect();
})();

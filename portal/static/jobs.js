// A job's log stays at its end while it grows, unless somebody has scrolled up to read.
const log = document.getElementById("log");
let atEnd = true;
log.addEventListener("scroll", () => { atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 24; });
new MutationObserver(() => { if (atEnd) log.scrollTop = log.scrollHeight; }).observe(log, { childList: true });
log.scrollTop = log.scrollHeight;

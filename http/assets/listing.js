// Uploads from the listing: files that are chosen or dropped are sent one after another, with their progress. Without
// this script the form sends them by itself.
"use strict";

(() => {
  const form = document.getElementById("upload");
  const chosen = document.getElementById("files");
  const status = document.getElementById("status");
  const bar = document.createElement("progress");
  bar.setAttribute("aria-label", "Upload");
  let busy = false;

  const put = (file, before, total) =>
    new Promise((done, failed) => {
      const request = new XMLHttpRequest();
      request.open("PUT", encodeURIComponent(file.name));
      request.setRequestHeader("Content-Type", file.type || "application/octet-stream");
      request.upload.onprogress = (event) => {
        bar.value = total > 0 ? (before + event.loaded) / total : 0;
      };
      request.onload = () => {
        if (request.status < 300) return done(request.getResponseHeader("Kaiku-Token"));
        let why = request.statusText;
        try {
          const problem = JSON.parse(request.responseText);
          why = problem.title + ": " + problem.detail;
        } catch (ignored) {}
        failed(new Error(file.name + ": " + why));
      };
      request.onerror = () => failed(new Error(file.name + ": the connection was lost"));
      request.send(file);
    });

  const upload = async (files) => {
    if (busy || files.length === 0) return;
    busy = true;
    const total = files.reduce((sum, file) => sum + file.size, 0);
    let before = 0;
    let token = null;
    bar.value = 0;
    form.append(bar);
    try {
      for (const [index, file] of files.entries()) {
        status.textContent = "Uploading " + file.name + " (" + (index + 1) + " of " + files.length + ")";
        token = await put(file, before, total);
        before += file.size;
      }
      status.textContent = "Uploaded.";
      // Of this node as soon as it has the last of them: it may be a moment behind the leader.
      location.assign("?token=" + encodeURIComponent(token));
    } catch (problem) {
      status.textContent = problem.message;
    } finally {
      bar.remove();
      busy = false;
    }
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    upload(Array.from(chosen.files));
  });
  // A file that misses the form is not opened in place of the listing.
  for (const kind of ["dragenter", "dragover", "dragleave", "drop"])
    document.addEventListener(kind, (event) => {
      event.preventDefault();
      form.classList.toggle("over", kind === "dragenter" || kind === "dragover");
      if (kind === "drop" && event.dataTransfer) upload(Array.from(event.dataTransfer.files));
    });
})();

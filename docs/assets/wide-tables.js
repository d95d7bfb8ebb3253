// A table that is wider than the page scrolls, also with the keyboard: the element that scrolls can be focused.
addEventListener("load", () => {
  const observer = new ResizeObserver((entries) => {
    for (const { target } of entries) target.tabIndex = target.scrollWidth > target.clientWidth ? 0 : -1
  })
  for (const wrap of document.querySelectorAll(".md-typeset__scrollwrap")) observer.observe(wrap)
})

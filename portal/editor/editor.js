// The code editor of the page: CodeMirror with Python, completion, marks at lines, and a view of differences.
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { python, pythonLanguage } from "@codemirror/lang-python";
import { bracketMatching, HighlightStyle, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { lintGutter, lintKeymap, setDiagnostics } from "@codemirror/lint";
import { unifiedMergeView } from "@codemirror/merge";
import { highlightSelectionMatches, search, searchKeymap } from "@codemirror/search";
import { EditorState } from "@codemirror/state";
import {
  drawSelection, EditorView, highlightActiveLine, highlightActiveLineGutter, keymap, lineNumbers,
} from "@codemirror/view";
import { tags } from "@lezer/highlight";

// Colours come from the page's stylesheet, so that light and dark are decided in one place.
const highlighting = HighlightStyle.define([
  { tag: [tags.keyword, tags.controlKeyword, tags.definitionKeyword], color: "var(--code-keyword)" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--code-string)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--code-number)" },
  { tag: tags.comment, color: "var(--quiet)", fontStyle: "italic" },
  { tag: [tags.function(tags.variableName), tags.definition(tags.variableName)], color: "var(--code-name)" },
  { tag: tags.meta, color: "var(--code-name)" },
]);
const look = EditorView.theme({
  "&": { height: "100%", fontSize: "13px", color: "var(--text)", backgroundColor: "var(--back)" },
  ".cm-scroller": { fontFamily: "ui-monospace, 'DejaVu Sans Mono', Menlo, monospace", lineHeight: "1.5" },
  ".cm-gutters": { backgroundColor: "var(--raised)", color: "var(--quiet)", border: "none" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "var(--active)" },
  "&.cm-focused .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "var(--select)" },
  ".cm-cursor": { borderLeftColor: "var(--text)" },
  ".cm-tooltip, .cm-panels": {
    backgroundColor: "var(--raised)", color: "var(--text)", border: "1px solid var(--line)",
  },
});

function completing(words) {
  const options = words.map(({ label, type, detail, apply }) => ({ label, type, detail, apply }));
  return pythonLanguage.data.of({
    autocomplete(context) {
      const before = context.matchBefore(/[\w.]+/);
      if (!before && !context.explicit) return null;
      return { from: before ? before.from : context.pos, options, validFor: /^[\w.]*$/ };
    },
  });
}

/** Make an editor.
 * @param {{parent: Element, doc: string, label: string, nonce: string, readOnly?: boolean, original?: string,
 *   words?: {label: string, type?: string, detail?: string, apply?: string}[],
 *   onChange?: (text: string) => void, onSave?: () => void, onTry?: () => void}} given
 *   `original` shows the differences from it; `words` are completed; Mod-s saves, Mod-Enter tries.
 * @returns {EditorView}
 */
export function makeEditor({
  parent, doc, label, nonce, readOnly = false, original, words = [], onChange, onSave, onTry,
}) {
  const done = (action) => () => (action?.(), true);
  const extensions = [
    EditorView.cspNonce.of(nonce),
    EditorView.contentAttributes.of({ "aria-label": label, tabindex: "0" }),
    lineNumbers(), highlightActiveLine(), highlightActiveLineGutter(), drawSelection(), history(),
    indentUnit.of("    "), EditorState.tabSize.of(4), indentOnInput(), bracketMatching(), closeBrackets(),
    python(), completing(words), autocompletion(), syntaxHighlighting(highlighting), look,
    lintGutter(), search({ top: true }), highlightSelectionMatches(),
    keymap.of([
      { key: "Mod-s", run: done(onSave), preventDefault: true },
      { key: "Mod-Enter", run: done(onTry), preventDefault: true },
      // Escape, then Tab, leaves the editor: nobody is caught in it.
      ...closeBracketsKeymap, ...completionKeymap, ...searchKeymap, ...historyKeymap, ...lintKeymap, ...defaultKeymap,
      indentWithTab,
    ]),
    EditorView.updateListener.of((update) => update.docChanged && onChange?.(update.state.doc.toString())),
  ];
  if (readOnly) extensions.push(EditorState.readOnly.of(true));
  if (original !== undefined) extensions.push(unifiedMergeView({ original, mergeControls: false }));
  return new EditorView({ parent, state: EditorState.create({ doc, extensions }) });
}

/** Mark lines of an editor.
 * @param {EditorView} view
 * @param {{line: number, message: string, severity?: "error" | "warning" | "info"}[]} problems lines count from 1
 */
export function markLines(view, problems) {
  const { doc } = view.state;
  const found = problems.map(({ line, message, severity = "error" }) => {
    const { from, to } = doc.line(Math.min(Math.max(line, 1), doc.lines));
    return { from, to, message, severity };
  });
  view.dispatch(setDiagnostics(view.state, found));
}

/** Put another text in place of an editor's; one step to undo. */
export function replaceText(view, text) {
  view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
}

/** Bring a line into view and put the cursor there. */
export function goToLine(view, line) {
  const { from } = view.state.doc.line(Math.min(Math.max(line, 1), view.state.doc.lines));
  view.dispatch({ selection: { anchor: from }, effects: EditorView.scrollIntoView(from, { y: "center" }) });
  view.focus();
}

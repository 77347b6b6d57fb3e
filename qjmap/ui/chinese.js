/* Streamlit's own words are English: those that people meet are put into Chinese where they appear. Never in what is
 * ours (st.html, components, maps): a record may have any name. */
const LOST = "可能是网络不通,或服务器已停。连上后会自动继续;过一会儿还不行,请告诉管理人员。没有保存的内容请先抄下。";
/* What stands written. */
const WORDS = new Map(Object.entries({
  "Skip to main content": "跳到正文", "No results": "没有相符的", "No options to select": "没有可选的", "Select all": "全选",
  "add icon": "", "Error: ": "有误:", "Error:": "有误:", "Upload failed": "上传没有成功",
  "Network Error": "网络断了,请重新上传", "Too many files": "一次只能一个文件。", "Only one file is allowed.": "一次只能一个文件。",
  "Unexpected error. Please try again.": "上传没有成功,请再试一次。", "Download failed": "下载没有成功",
  "Connection error": "与服务器的连接断了", "Page not found": "没有这个网页",
  "Streamlit server is not responding. Are you connected to the internet?": LOST,
  "Is Streamlit still running? If you accidentally stopped Streamlit, just restart it in your terminal:": LOST,
  "Connection lost. Please wait for the app to reconnect, then try again.": "连接断了,请等重新连上后再试。",
}));
/* What is only read aloud, or shown under the pointer. */
const NAMES = new Map(Object.entries({
  Sidebar: "左侧选项", "Collapse sidebar": "收起左侧", "Expand sidebar": "展开左侧", "App pages": "各页",
  "Choose an option": "选一项", "Choose options": "可选多项", Open: "展开", Close: "关闭", Dismiss: "关闭",
  "Clear value": "清除", "Clear all": "全部清除", "Clear entry": "清除", "Select all": "全选",
  "Selectbox options": "选项", "Multiselect options": "选项", "Selected values": "已选",
  "Show password": "显示密码", "Hide password": "隐藏密码", Increment: "加", Decrement: "减",
  Fullscreen: "全屏", "Close fullscreen": "退出全屏", "Copy to clipboard": "复制",
  "file upload": "选择文件", "Add files": "另选文件", "Click to retry upload": "重新上传", "Upload failed": "上传没有成功",
}));
/* With something in them that changes. */
const LIKE = [
  [/^File must be ([\d.]+?)(?:\.0)?\s?MB or smaller\.$/, "这个文件超过 $1 MB,没有上传。请删去不用的列、工作表或图片,或分成几份再来。"],
  [/^.+ files are not allowed\.$/, "不能上传这一类文件。"],
  [/^Request failed with status code (\d+)$/, "上传没有成功(代码 $1),请再试一次。"],
  [/^Remove ([^]+)$/, "去掉 $1"],
  [/^Cancel upload of ([^]+)$/, "停止上传 $1"],
  [/^(\d+) options? available\.$/, "有 $1 项可选。"],
  [/^([^]+), selected$/, "已选 $1"],
  [/^Select (\d+) matches$/, "选中这 $1 项"],
  [/^Number is (?:above|below|outside) the allowed range\.[^]*$/, "数值超出允许的范围。"],
  [/^(?:You have requested page|The page that you have requested) [^]*$/, "网址里的网页不存在,现显示总览。请核对链接,或从上方另选一页。"],
  [/^Cannot connect to Streamlit \(HTTP status: 403\)[^]*$/, "服务器不接受从这个网址来的连接,请用管理人员给的网址打开。"],
];
const NAMED = ["aria-label", "title", "placeholder", "aria-description"];
const OURS = ".stHtml, svg, [data-testid='stMarkdownContainer'] table";

function chinese(text, known) {
  const said = known.get(text) ?? LIKE.find(([one]) => one.test(text));
  return Array.isArray(said) ? text.replace(...said) : said;
}

function word(node) {
  const said = chinese(node.data, WORDS);
  if (said !== undefined && !node.parentElement?.closest(OURS)) node.data = said;
}

function name(element) {
  for (const key of NAMED) {
    const was = element.getAttribute(key), said = was && chinese(was, NAMES);
    if (said && !element.closest(".stHtml")) element.setAttribute(key, said);
  }
}

function all(root) {
  if (root.nodeType === Node.TEXT_NODE) return word(root);
  if (root.nodeType !== Node.ELEMENT_NODE) return;
  name(root);
  const walk = document.createTreeWalker(root, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT, (one) =>
    one.nodeType === Node.ELEMENT_NODE && one.matches(OURS)
      ? NodeFilter.FILTER_REJECT : NodeFilter.FILTER_ACCEPT);
  while (walk.nextNode()) (walk.currentNode.nodeType === Node.TEXT_NODE ? word : name)(walk.currentNode);
}

function speakChinese() {
  const mark = Symbol.for("qjmap.chinese");
  if (window[mark]) return;
  window[mark] = true;
  document.documentElement.lang = "zh-CN"; /* else a reader aloud reads Chinese as English, and browsers offer to translate */
  new MutationObserver((seen) => {
    for (const one of seen) {
      if (one.type === "characterData") word(one.target);
      else if (one.type === "attributes") name(one.target);
      else one.addedNodes.forEach(all);
    }
  }).observe(document.body, { subtree: true, childList: true, characterData: true, attributeFilter: NAMED });
  all(document.body);
}
speakChinese();

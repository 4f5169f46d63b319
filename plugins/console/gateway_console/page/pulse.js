// The gateway's clock as the server says it, and a word where it has not spoken for a while.
export default {
  template: `<span class="gw-pulse" :data-state="late ? 'bad' : null" role="timer" :aria-label="'gateway time ' + text"><span aria-hidden="true">{{ late ? '✕' : '' }}</span><template v-if="late">no data for {{ late }} s</template><template v-else><span class="less day">{{ text.split(' ')[0] }} </span>{{ text.split(' ').slice(1).join(' ') }}</template></span>`,
  props: { text: String, seq: Number },
  data: () => ({ late: 0 }),
  mounted() {
    this.heard = performance.now();
    const theme = localStorage.getItem("gateway-theme");
    if (theme) Quasar.Dark.set(theme === "dark");
    const popup = document.getElementById("popup");
    popup?.setAttribute("role", "alert");
    this.timer = setInterval(() => {
      const seconds = Math.floor((performance.now() - this.heard) / 1000);
      this.late = seconds >= 4 ? seconds : 0;
      document.body.toggleAttribute("data-late", this.late > 0);
      if (this.late && seconds !== this.asked && seconds % 2 === 0) {
        this.asked = seconds;
        this.ask();
      };
    }, 500);
    this.$emit("shown", this.seq);
  },
  unmounted() {
    clearInterval(this.timer);
  },
  methods: {
    // A gateway that was restarted knows nobody: the page then leads to the log-in.
    async ask() {
      const answer = await fetch("/api/v1/session", { cache: "no-store" }).catch(() => null);
      if (answer?.status === 401) window.location.reload();
    },
  },
  watch: {
    seq(value) {
      this.heard = performance.now();
      this.$emit("shown", value);
    },
  },
};

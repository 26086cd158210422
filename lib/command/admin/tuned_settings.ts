// Settings that commands can change: the start values for the store, and the values now.

import type { Settings } from "../../config/settings.ts";
import type { TunableValues } from "../../store/control/tunables.ts";

/** The temporary TTL while TEMP is off. */
const TEMP_OFF = -1;

/** The tunables that the store starts with. */
export function tuningOf(settings: Settings): TunableValues {
  return {
    maxbytes: settings.maxbytes,
    segmented: settings.lruSegmented ? 1 : 0,
    temporaryTtl: settings.tempLru ? settings.temporaryTtl : TEMP_OFF,
    hotLruPct: settings.hotLruPct,
    warmLruPct: settings.warmLruPct,
    hotMaxFactor: settings.hotMaxFactor,
    warmMaxFactor: settings.warmMaxFactor,
    lruCrawler: settings.lruCrawler ? 1 : 0,
    lruCrawlerSleep: settings.lruCrawlerSleep,
    lruCrawlerTocrawl: settings.lruCrawlerTocrawl,
    slabAutomove: settings.slabAutomove,
    slabAutomoveRatio: settings.slabAutomoveRatio,
    slabAutomoveWindow: settings.slabAutomoveWindow,
    slabAutomoveFreeratio: settings.slabAutomoveFreeratio,
    extItemSize: settings.extItemSize,
    extItemAge: settings.extItemAge,
    extLowTtl: settings.extLowTtl,
    extRecacheRate: settings.extRecacheRate,
    extCompactUnder: settings.extCompactUnder,
    extDropUnder: settings.extDropUnder,
    extMaxSleep: settings.extMaxSleep,
    extMaxFrag: settings.extMaxFrag,
    extDropUnread: settings.extDropUnread ? 1 : 0,
  };
}

/** `settings` with the values of the tunables in `tuned`. */
export function tunedSettings(settings: Settings, tuned: TunableValues): Settings {
  const tempLru = tuned.temporaryTtl !== TEMP_OFF;
  return {
    ...settings,
    ...tuned,
    lruSegmented: tuned.segmented === 1,
    lruCrawler: tuned.lruCrawler === 1,
    extDropUnread: tuned.extDropUnread === 1,
    tempLru,
    temporaryTtl: tempLru ? tuned.temporaryTtl : settings.temporaryTtl,
  };
}

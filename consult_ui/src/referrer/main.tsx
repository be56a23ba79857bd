/** The referrer's page, /r/. */

import "../styles/base.css";
import "../staff/staff.css";
import "./referrer.css";

import { addCatalog } from "../lib/i18n";
import en from "../i18n/referrer.en.json";
import zh from "../i18n/referrer.zh.json";
import { startStaffPage } from "../staff/staff_page";
import { ReferrerPage } from "./app";

addCatalog({ en, zh });
startStaffPage({ role: "referrer", titleKey: "page.referrer", elsewhere: "/s/", Page: ReferrerPage });

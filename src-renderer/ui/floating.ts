/** What menus, selects and popovers have in common: a panel above the page, told apart by its edge. */
export const FLOATING = 'appear z-50 rounded-3 border border-hair-strong bg-bg-1 text-tx-1';

/** A row in such a panel: 28 pixels. Radix and cmdk mark rows differently. */
export const FLOATING_ROW =
  'flex min-h-7 items-center gap-2 rounded-2 px-2 text-12 outline-none select-none data-highlighted:bg-bg-2 data-[selected=true]:bg-bg-2 data-[disabled=""]:text-tx-3 data-[disabled=true]:text-tx-3';

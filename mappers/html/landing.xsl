<?xml version="1.0" encoding="UTF-8"?>
<!-- SPDX-License-Identifier: Apache-2.0

     The portal's first page. View: region (name), demo (boolean), other (address of this page in the other language), and for
     a resident whose card was read: resident {name, kana, summary, history} where the last two are addresses. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
  <xsl:include href="frame.xsl"/>

  <xsl:template match="/">
    <html lang="{$lang}">
      <xsl:call-template name="head">
        <xsl:with-param name="title" select="$l/my_record"/>
      </xsl:call-template>
      <body>
        <xsl:call-template name="top">
          <xsl:with-param name="title" select="$v/region"/>
        </xsl:call-template>
        <xsl:if test="$v/demo = 'true'"><p class="notice"><xsl:value-of select="$l/demo_note"/></p></xsl:if>
        <main id="main" class="page">
          <h1><xsl:value-of select="$l/tagline"/></h1>
          <p class="lead"><xsl:value-of select="$l/landing_lead"/></p>
          <xsl:choose>
            <xsl:when test="$v/resident"><xsl:apply-templates select="$v/resident"/></xsl:when>
            <xsl:otherwise>
              <div class="cards">
                <section class="card"><h2><xsl:value-of select="$l/sign_in"/></h2><p><xsl:value-of select="$l/sign_in_text"/></p></section>
                <section class="card"><h2><xsl:value-of select="$l/for_staff"/></h2><p><xsl:value-of select="$l/for_staff_text"/></p></section>
              </div>
            </xsl:otherwise>
          </xsl:choose>
          <h2><xsl:value-of select="$l/promise_title"/></h2>
          <ul class="promises">
            <li><xsl:value-of select="$l/promise_consent"/></li>
            <li><xsl:value-of select="$l/promise_log"/></li>
            <li><xsl:value-of select="$l/promise_source"/></li>
          </ul>
        </main>
      </body>
    </html>
  </xsl:template>

  <xsl:template match="resident">
    <section>
      <p class="signed">
        <span class="kana"><xsl:value-of select="kana"/></span>
        <span class="name"><xsl:value-of select="name"/></span>
        <span class="badge"><xsl:value-of select="$l/signed_in"/></span>
      </p>
      <div class="cards">
        <xsl:if test="string(summary)">
          <a class="card" href="{summary}"><h2><xsl:value-of select="$l/open_summary"/></h2><p><xsl:value-of select="$l/open_summary_text"/></p></a>
        </xsl:if>
        <xsl:if test="string(history)">
          <a class="card" href="{history}"><h2><xsl:value-of select="$l/open_history"/></h2><p><xsl:value-of select="$l/open_history_text"/></p></a>
        </xsl:if>
      </div>
    </section>
  </xsl:template>
</xsl:stylesheet>

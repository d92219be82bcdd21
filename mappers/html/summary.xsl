<?xml version="1.0" encoding="UTF-8"?>
<!-- SPDX-License-Identifier: Apache-2.0

     The emergency page: one request, no script, readable at 390 px. The banner stays at the top in the order name, birth date
     (age), sex, number; allergies come first and always say which of four states they are in; then drugs with
     anticoagulants marked, problems, results, vital signs, visits. View: summary_view (mappers/ips/summary.h). -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
  <xsl:include href="frame.xsl"/>
  <xsl:variable name="s" select="/page/view/sections"/>

  <xsl:template match="/">
    <xsl:variable name="title">
      <xsl:choose>
        <xsl:when test="$v/emergency = 'true'"><xsl:value-of select="$l/emergency_title"/></xsl:when>
        <xsl:otherwise><xsl:value-of select="$l/summary_title"/></xsl:otherwise>
      </xsl:choose>
    </xsl:variable>
    <html lang="{$lang}">
      <xsl:call-template name="head">
        <xsl:with-param name="title" select="$title"/>
      </xsl:call-template>
      <body>
        <xsl:if test="$v/emergency = 'true'"><xsl:attribute name="class">emergency</xsl:attribute></xsl:if>
        <xsl:call-template name="top">
          <xsl:with-param name="title" select="$title"/>
        </xsl:call-template>
        <xsl:apply-templates select="$v/patient"/>
        <main id="main" class="two">
          <div class="column">
            <xsl:call-template name="allergies"/>
            <xsl:call-template name="medications"/>
            <xsl:apply-templates select="$s/item[key = 'problems']"/>
            <xsl:apply-templates select="$s/item[key = 'past']"/>
            <xsl:apply-templates select="$s/item[key = 'procedures']"/>
            <xsl:apply-templates select="$s/item[key = 'devices']"/>
          </div>
          <div class="column">
            <xsl:apply-templates select="$s/item[key = 'results']"/>
            <xsl:apply-templates select="$s/item[key = 'vitals']"/>
            <xsl:apply-templates select="$s/item[key = 'encounters']"/>
            <xsl:apply-templates select="$s/item[key = 'immunizations']"/>
            <xsl:apply-templates select="$s/item[key = 'plan']"/>
            <xsl:apply-templates select="$s/item[key = 'social']"/>
          </div>
        </main>
        <footer>
          <p><xsl:value-of select="$l/caution"/></p>
          <p>
            <xsl:value-of select="$l/recorded_note"/>
            <xsl:if test="string($v/author)"><xsl:text> </xsl:text><xsl:value-of select="$v/author"/></xsl:if>
          </p>
        </footer>
      </body>
    </html>
  </xsl:template>

  <xsl:template match="patient">
    <section class="banner" aria-label="{$l/patient}">
      <h1>
        <span class="name"><xsl:value-of select="name"/><xsl:if test="not(string(name))"><xsl:value-of select="roman"/></xsl:if></span>
        <xsl:text> </xsl:text>
        <span class="kana">
          <xsl:choose>
            <xsl:when test="$lang = 'en' and string(roman)"><xsl:value-of select="roman"/></xsl:when>
            <xsl:otherwise><xsl:value-of select="kana"/></xsl:otherwise>
          </xsl:choose>
        </span>
      </h1>
      <dl>
        <xsl:variable name="birth" select="*[name() = concat('birth_', $lang)]"/>
        <xsl:variable name="age" select="*[name() = concat('age_', $lang)]"/>
        <xsl:if test="string($birth)">
          <div><dt><xsl:value-of select="$l/born"/></dt><dd><xsl:value-of select="$birth"/>
            <xsl:if test="string($age)"><xsl:text> </xsl:text><b><xsl:value-of select="$age"/></b></xsl:if></dd></div>
        </xsl:if>
        <div><dd><b><xsl:value-of select="*[name() = concat('sex_', $lang)]"/></b></dd></div>
        <xsl:for-each select="ids/item">
          <div><dt><xsl:value-of select="*[name() = concat('label_', $lang)]"/></dt><dd class="number"><xsl:value-of select="value"/></dd></div>
        </xsl:for-each>
        <xsl:for-each select="contacts/item[string(phone)][1]">
          <div><dt><xsl:value-of select="$l/contact"/></dt><dd><xsl:value-of select="name"/><xsl:text> </xsl:text><xsl:value-of select="phone"/></dd></div>
        </xsl:for-each>
        <xsl:if test="deceased = 'true'">
          <div class="deceased"><dd><xsl:value-of select="$l/deceased"/><xsl:text> </xsl:text><xsl:value-of select="deceased_date"/></dd></div>
        </xsl:if>
      </dl>
    </section>
  </xsl:template>

  <!-- Four states, never a blank. -->
  <xsl:template name="allergies">
    <xsl:variable name="a" select="$s/item[key = 'allergies']"/>
    <xsl:variable name="state">
      <xsl:choose>
        <xsl:when test="$a/state = 'present' or $a/state = 'nilknown' or $a/state = 'withheld'"><xsl:value-of select="$a/state"/></xsl:when>
        <xsl:otherwise>unavailable</xsl:otherwise>
      </xsl:choose>
    </xsl:variable>
    <section class="panel allergies {$state}">
      <h2>
        <xsl:choose>
          <xsl:when test="$a"><xsl:value-of select="$a/*[name() = concat('title_', $lang)]"/></xsl:when>
          <xsl:otherwise><xsl:value-of select="$l/type_AllergyIntolerance"/></xsl:otherwise>
        </xsl:choose>
      </h2>
      <p class="state"><xsl:value-of select="$l/*[name() = concat('state_', $state)]"/></p>
      <xsl:if test="$state = 'unavailable'"><p class="why"><xsl:value-of select="$l/allergy_unavailable"/></p></xsl:if>
      <xsl:if test="$state = 'withheld'"><p class="why"><xsl:value-of select="$l/allergy_withheld"/></p></xsl:if>
      <xsl:if test="$a/rows/item">
        <ul><xsl:apply-templates select="$a/rows/item" mode="fact"/></ul>
      </xsl:if>
      <xsl:call-template name="rest"><xsl:with-param name="section" select="$a"/></xsl:call-template>
    </section>
  </xsl:template>

  <xsl:template name="medications">
    <xsl:variable name="m" select="$s/item[key = 'medications']"/>
    <xsl:if test="$m">
      <section class="panel">
        <h2>
          <xsl:call-template name="title"><xsl:with-param name="section" select="$m"/></xsl:call-template>
          <xsl:if test="$m/rows/item[mark = 'anticoagulant']">
            <xsl:text> </xsl:text><b class="badge alarm"><xsl:value-of select="$l/anticoagulant_short"/></b>
          </xsl:if>
        </h2>
        <xsl:call-template name="empty"><xsl:with-param name="section" select="$m"/></xsl:call-template>
        <xsl:if test="$m/rows/item">
          <ul>
            <xsl:apply-templates select="$m/rows/item[mark = 'anticoagulant']" mode="fact"/>
            <xsl:apply-templates select="$m/rows/item[not(mark = 'anticoagulant')]" mode="fact"/>
          </ul>
        </xsl:if>
        <xsl:call-template name="rest"><xsl:with-param name="section" select="$m"/></xsl:call-template>
      </section>
    </xsl:if>
  </xsl:template>

  <!-- Any other section: a list; what is beyond the first dozen opens without a script. A flagged value is never folded away. -->
  <xsl:template match="sections/item">
    <xsl:variable name="first" select="rows/item[position() &lt;= 12 or string(mark)]"/>
    <xsl:variable name="more" select="rows/item[position() &gt; 12 and not(string(mark))]"/>
    <section class="panel">
      <h2><xsl:call-template name="title"><xsl:with-param name="section" select="."/></xsl:call-template></h2>
      <xsl:call-template name="empty"><xsl:with-param name="section" select="."/></xsl:call-template>
      <xsl:if test="rows/item">
        <ul><xsl:apply-templates select="$first" mode="fact"/></ul>
      </xsl:if>
      <xsl:if test="$more">
        <details>
          <summary><xsl:value-of select="$l/more_a"/><xsl:value-of select="count($more)"/><xsl:value-of select="$l/more_b"/></summary>
          <ul><xsl:apply-templates select="$more" mode="fact"/></ul>
        </details>
      </xsl:if>
      <xsl:call-template name="rest"><xsl:with-param name="section" select="."/></xsl:call-template>
    </section>
  </xsl:template>

  <xsl:template name="title">
    <xsl:param name="section"/>
    <xsl:value-of select="$section/*[name() = concat('title_', $lang)]"/>
    <xsl:if test="$section/months and $v/emergency = 'true'">
      <xsl:text> </xsl:text>
      <span class="window">
        <xsl:value-of select="$l/last"/>
        <xsl:choose>
          <xsl:when test="$section/months &gt; 12"><xsl:value-of select="floor($section/months div 12)"/><xsl:value-of select="$l/years"/></xsl:when>
          <xsl:otherwise><xsl:value-of select="$section/months"/><xsl:value-of select="$l/months"/></xsl:otherwise>
        </xsl:choose>
      </span>
    </xsl:if>
  </xsl:template>

  <xsl:template name="empty">
    <xsl:param name="section"/>
    <xsl:choose>
      <xsl:when test="$section/rows/item"/>
      <xsl:when test="$section/state = 'withheld'"><p class="absent withheld"><xsl:value-of select="$l/withheld"/></p></xsl:when>
      <xsl:otherwise><p class="absent"><xsl:value-of select="$l/none"/></p></xsl:otherwise>
    </xsl:choose>
  </xsl:template>

  <xsl:template name="rest">
    <xsl:param name="section"/>
    <xsl:if test="$section/partly = 'true'"><p class="rest withheld"><xsl:value-of select="$l/partly"/></p></xsl:if>
    <xsl:if test="$section/left_out">
      <p class="rest"><xsl:value-of select="$l/left_out_a"/><xsl:value-of select="$section/left_out"/><xsl:value-of select="$l/left_out_b"/></p>
    </xsl:if>
  </xsl:template>

  <!-- One line: what it is on the left, its value on the right, where it comes from below. -->
  <xsl:template match="item" mode="fact">
    <li>
      <xsl:if test="string(mark)"><xsl:attribute name="class"><xsl:value-of select="mark"/></xsl:attribute></xsl:if>
      <span class="what">
        <span class="label"><xsl:call-template name="label"/></span>
        <xsl:if test="mark = 'anticoagulant'"><xsl:text> </xsl:text><b class="badge alarm"><xsl:value-of select="$l/anticoagulant"/></b></xsl:if>
        <xsl:if test="mark = 'high-risk'"><xsl:text> </xsl:text><b class="badge alarm"><xsl:value-of select="$l/high-risk"/></b></xsl:if>
      </span>
      <xsl:if test="string(value)">
        <span class="figure"><xsl:call-template name="flag"/><xsl:text> </xsl:text><xsl:call-template name="value"/></span>
      </xsl:if>
      <xsl:if test="string(detail)"><span class="detail"><xsl:value-of select="detail"/></span></xsl:if>
      <span class="below">
        <xsl:call-template name="note"/>
        <xsl:if test="string(range)">
          <span class="range"><xsl:value-of select="$l/range"/><xsl:text> </xsl:text><xsl:value-of select="range"/></span>
        </xsl:if>
        <xsl:if test="string(previous)">
          <span class="before"><xsl:value-of select="$l/previous"/><xsl:text> </xsl:text><xsl:value-of select="previous"/>
            <xsl:if test="string(previous_date)"> (<xsl:value-of select="previous_date"/>)</xsl:if></span>
        </xsl:if>
        <xsl:call-template name="origin"/>
      </span>
    </li>
  </xsl:template>
</xsl:stylesheet>
